/**
 * Annotations that Terrasift sets on each entity of a workspace.
 *
 * @public
 */
export const TERRAFORM_ORGANIZATION_ANNOTATION = 'terraform.io/organization';

/**
 * Id of the workspace (`ws-…`) that an entity belongs to; it never changes.
 *
 * @public
 */
export const TERRAFORM_WORKSPACE_ID_ANNOTATION = 'terraform.io/workspace-id';

/**
 * Id of the state version (`sv-…`) that a workspace's entities came from.
 *
 * @public
 */
export const TERRAFORM_STATE_VERSION_ANNOTATION = 'terraform.io/state-version';

/**
 * When a workspace's state was written, in RFC 3339.
 *
 * @public
 */
export const TERRAFORM_LAST_UPDATED_ANNOTATION = 'terraform.io/last-updated';

/**
 * Managed resource instances in a workspace's state.
 *
 * @public
 */
export const TERRAFORM_RESOURCE_COUNT_ANNOTATION =
  'terraform.io/resource-count';

/**
 * Address of a resource within its state. Not there when something in it was redacted: the entity's title has it then, with
 * markers.
 *
 * @public
 */
export const TERRAFORM_RESOURCE_ADDRESS_ANNOTATION =
  'terraform.io/resource-address';

/**
 * Terraform's type of a resource.
 *
 * @public
 */
export const TERRAFORM_RESOURCE_TYPE_ANNOTATION = 'terraform.io/resource-type';

/**
 * The organization, under the name that run-table plugins look for.
 *
 * @public
 */
export const TERRAFORM_RUNS_ORGANIZATION_ANNOTATION = 'terraform/organization';

/**
 * Names of the workspaces whose runs are shown, under the name that run-table plugins look for.
 *
 * @public
 */
export const TERRAFORM_RUNS_WORKSPACES_ANNOTATION = 'terraform/workspaces';

/**
 * The tenant that an entity belongs to, by its id in Backstage's configuration. Set by the entity provider, whatever
 * the feed says: what is shown to whom may rest on it.
 *
 * @public
 */
export const TERRASIFT_TENANT_ANNOTATION = 'terrasift.io/tenant';

/**
 * Digest of an entity as the feed told it, by which the catalog is compared with the feed.
 *
 * @public
 */
export const TERRASIFT_DIGEST_ANNOTATION = 'terrasift.io/digest';
