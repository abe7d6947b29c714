/**
 * A tenant that somebody may look into, as the backend plugin lists them.
 *
 * @public
 */
export interface TerrasiftTenant {
  /** Its id in Backstage's configuration, as in the annotation `terrasift.io/tenant`. */
  id: string;
  /** Names of the permissions that the user has there. */
  permissions: string[];
}
