import { createBackendModule } from '@backstage/backend-plugin-api';
import { Entity } from '@backstage/catalog-model';
import {
  CatalogProcessor,
  catalogProcessingExtensionPoint,
} from '@backstage/plugin-catalog-node';
import {
  TERRASIFT_TENANT_ANNOTATION,
  terraformWorkspaceEntityV1alpha1Validator,
} from '@terrasift/backstage-plugin-terrasift-common';

/** Accepts our kind. */
const workspaces: CatalogProcessor = {
  getProcessorName: () => 'terraform-workspaces',
  validateEntityKind: entity =>
    terraformWorkspaceEntityV1alpha1Validator.check(entity),
};

/** Puts entities into the catalog once, those of a tenant as the entity provider does: with its id. */
export function snapshotModule(byTenant: Record<string, Entity[]>) {
  return createBackendModule({
    pluginId: 'catalog',
    moduleId: 'snapshot',
    register(env) {
      env.registerInit({
        deps: { catalog: catalogProcessingExtensionPoint },
        async init({ catalog }) {
          catalog.addProcessor(workspaces);
          for (const [tenant, entities] of Object.entries(byTenant)) {
            catalog.addEntityProvider({
              getProviderName: () => `snapshot:${tenant}`,
              connect: connection =>
                connection.applyMutation({
                  type: 'full',
                  entities: entities.map(entity => ({
                    locationKey: `snapshot:${tenant}`,
                    entity: tenant ? marked(entity, tenant) : entity,
                  })),
                }),
            });
          }
        },
      });
    },
  });
}

function marked(entity: Entity, tenant: string): Entity {
  const { metadata } = entity;
  return {
    ...entity,
    metadata: {
      ...metadata,
      annotations: {
        ...metadata.annotations,
        [TERRASIFT_TENANT_ANNOTATION]: tenant,
      },
    },
  };
}
