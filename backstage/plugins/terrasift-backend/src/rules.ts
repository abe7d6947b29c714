import { Entity } from '@backstage/catalog-model';
import { catalogEntityPermissionResourceRef } from '@backstage/plugin-catalog-node/alpha';
import {
  createPermissionResourceRef,
  createPermissionRule,
} from '@backstage/plugin-permission-node';
import {
  RESOURCE_TYPE_TERRASIFT_TENANT,
  TERRASIFT_TENANT_ANNOTATION,
} from '@terrasift/backstage-plugin-terrasift-common';
import { z } from 'zod';

/** A tenant, as far as permissions are concerned. */
export interface TenantResource {
  id: string;
}

/**
 * Tenants, to permission policies.
 *
 * @public
 */
export const terrasiftTenantPermissionResourceRef = createPermissionResourceRef<
  { id: string },
  { ids: string[] }
>().with({
  pluginId: 'terrasift',
  resourceType: RESOURCE_TYPE_TERRASIFT_TENANT,
});

/** Allows some tenants, by their ids in the configuration. */
export const isTenant = createPermissionRule({
  name: 'IS_TENANT',
  description: 'Allow what belongs to one of these tenants of Terrasift',
  resourceRef: terrasiftTenantPermissionResourceRef,
  paramsSchema: z.object({
    tenants: z
      .array(z.string())
      .describe('Ids of tenants, as in terrasift.tenants'),
  }),
  apply: (tenant, { tenants }) => tenants.includes(tenant.id),
  toQuery: ({ tenants }) => ({ ids: tenants }),
});

/** Allows entities of some tenants, or of any. */
export const hasTenant = createPermissionRule({
  name: 'HAS_TENANT',
  description:
    'Allow entities that Terrasift provides for one of these tenants, or for any if none is named',
  resourceRef: catalogEntityPermissionResourceRef,
  paramsSchema: z.object({
    tenants: z
      .array(z.string())
      .optional()
      .describe('Ids of tenants, as in terrasift.tenants'),
  }),
  apply: (entity, { tenants }) => {
    const tenant = tenantOf(entity);
    return tenant !== undefined && (!tenants || tenants.includes(tenant));
  },
  // The catalog compares keys and values in lower case, and so does `apply`.
  toQuery: ({ tenants }) => ({
    key: `metadata.annotations.${TERRASIFT_TENANT_ANNOTATION}`,
    ...(tenants && { values: tenants }),
  }),
});

function tenantOf(entity: Entity): string | undefined {
  return entity.metadata.annotations?.[
    TERRASIFT_TENANT_ANNOTATION
  ]?.toLowerCase();
}
