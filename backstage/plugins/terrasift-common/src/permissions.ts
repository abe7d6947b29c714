import {
  createPermission,
  ResourcePermission,
} from '@backstage/plugin-permission-common';

/**
 * Resource type of what is permitted within a tenant.
 *
 * @public
 */
export const RESOURCE_TYPE_TERRASIFT_TENANT = 'terrasift-tenant';

/**
 * Permission on something of one tenant.
 *
 * @public
 */
export type TerrasiftTenantPermission = ResourcePermission<
  typeof RESOURCE_TYPE_TERRASIFT_TENANT
>;

/**
 * Reads workspaces, resources, runs and how their syncing stands. `catalog:read` of Terrasift's API.
 *
 * @public
 */
export const terrasiftCatalogReadPermission = createPermission({
  name: 'terrasift.catalog.read',
  attributes: { action: 'read' },
  resourceType: RESOURCE_TYPE_TERRASIFT_TENANT,
});

/**
 * Reads which rules redacted what. `audit:read` of Terrasift's API.
 *
 * @public
 */
export const terrasiftAuditReadPermission = createPermission({
  name: 'terrasift.audit.read',
  attributes: { action: 'read' },
  resourceType: RESOURCE_TYPE_TERRASIFT_TENANT,
});

/**
 * Reads how much was done for a tenant, and what it costs. `usage:read` of Terrasift's API.
 *
 * @public
 */
export const terrasiftUsageReadPermission = createPermission({
  name: 'terrasift.usage.read',
  attributes: { action: 'read' },
  resourceType: RESOURCE_TYPE_TERRASIFT_TENANT,
});

/**
 * Reads dead letters. `dead-letters:read` of Terrasift's API.
 *
 * @public
 */
export const terrasiftDeadLettersReadPermission = createPermission({
  name: 'terrasift.dead-letters.read',
  attributes: { action: 'read' },
  resourceType: RESOURCE_TYPE_TERRASIFT_TENANT,
});

/**
 * Retries and discards dead letters. `dead-letters:write` of Terrasift's API.
 *
 * @public
 */
export const terrasiftDeadLettersWritePermission = createPermission({
  name: 'terrasift.dead-letters.write',
  attributes: { action: 'update' },
  resourceType: RESOURCE_TYPE_TERRASIFT_TENANT,
});

/**
 * All permissions of the plugin.
 *
 * @public
 */
export const terrasiftPermissions: TerrasiftTenantPermission[] = [
  terrasiftCatalogReadPermission,
  terrasiftAuditReadPermission,
  terrasiftUsageReadPermission,
  terrasiftDeadLettersReadPermission,
  terrasiftDeadLettersWritePermission,
];
