import { HumanDuration } from '@backstage/types';

export interface Config {
  terrasift?: {
    /**
     * Address of Terrasift's API, for the tenants that name none of their own.
     */
    baseUrl?: string;

    /**
     * The tenants whose entities the catalog shows, by an id that must stay as it is for as long as they are wanted: a
     * tenant that is no longer here is taken from the catalog when the backend starts. Its name and slug in Terrasift
     * may change.
     */
    tenants?: {
      [id: string]: {
        /**
         * Address of Terrasift's API for this tenant.
         */
        baseUrl?: string;
        /**
         * A key of the tenant with the scope `catalog:read`.
         * @visibility secret
         */
        apiKey: string;
        /**
         * False keeps what the catalog has, and follows no longer. Default: true.
         */
        enabled?: boolean;
      };
    };

    catalog?: {
      /**
       * Entities of a page, 1 to 1000. Default: 500.
       */
      pageSize?: number;
      /**
       * How often all of a tenant's entities are compared with the catalog's. Default: an hour.
       */
      compareEvery?: HumanDuration | string;
      /**
       * How long after a first sync the first comparison waits, so that the catalog can process what it got. Default: a minute.
       */
      settle?: HumanDuration | string;
      /**
       * How long a replica that died keeps the others from following in its place. Default: 30 seconds.
       */
      lease?: HumanDuration | string;
      removals?: {
        /**
         * How much of a tenant may go between two comparisons, in percent. 100 is the only value that lets the last
         * entity go. Default: 20.
         */
        maxPercent?: number;
        /**
         * This many may always go, unless none would be left. Default: 100.
         */
        alwaysAllowed?: number;
      };
    };
  };
}
