/**
 * Keeps a Backstage catalog in step with Terrasift's feed.
 *
 * @packageDocumentation
 */

export { catalogModuleTerrasift as default } from './module';
export { TerraformWorkspaceEntityProcessor } from './processor/TerraformWorkspaceEntityProcessor';
