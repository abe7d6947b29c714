/**
 * What Terrasift's Backstage plugins share: annotations, the TerraformWorkspace kind, permissions and the API's types.
 *
 * @packageDocumentation
 */

export * from './annotations';
export * from './api';
export type * from './openapi.generated';
export * from './permissions';
export * from './TerraformWorkspaceEntity';
export * from './tenantConfig';
export * from './tenants';
