/**
 * A permission policy that shows each user the tenants granted to them, in catalog, search and cards.
 *
 * @packageDocumentation
 */

export { permissionModuleTerrasiftPolicy as default } from './policy/module';
export { terrasiftPolicy } from './policy/terrasiftPolicy';
export type { TerrasiftPolicyOptions } from './policy/terrasiftPolicy';
