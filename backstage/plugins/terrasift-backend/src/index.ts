/**
 * What Terrasift's cards talk to, and the rule by which the catalog is filtered by tenant.
 *
 * @packageDocumentation
 */

export { terrasiftFeatures as default } from './features';
export { catalogModuleTerrasiftTenantRule, terrasiftPlugin } from './plugin';
export { terrasiftTenantPermissionResourceRef } from './rules';
