/**
 * Terrasift in Backstage's pages: cards, a tab and a page for who operates a tenant. Apps of the old frontend system
 * import from `@terrasift/backstage-plugin-terrasift/legacy`.
 *
 * @packageDocumentation
 */

export { terrasiftPlugin as default } from './plugin';
export { terrasiftApiRef } from './api/TerrasiftApi';
export type {
  DeadLetterDecision,
  ResourcesQuery,
  TerrasiftApi,
} from './api/TerrasiftApi';
export {
  isTerrasiftEntity,
  isTerrasiftWorkspace,
} from './hooks/useTerraformEntity';
