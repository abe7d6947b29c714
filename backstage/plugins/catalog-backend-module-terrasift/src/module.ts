import {
  coreServices,
  createBackendModule,
} from '@backstage/backend-plugin-api';
import {
  catalogProcessingExtensionPoint,
  catalogServiceRef,
} from '@backstage/plugin-catalog-node';
import pLimit from 'p-limit';
import { readFeedOptions, readTenants } from './config';
import { CatalogView } from './feed/CatalogView';
import { FeedMetrics } from './feed/metrics';
import { FeedStore } from './feed/FeedStore';
import { TerraformWorkspaceEntityProcessor } from './processor/TerraformWorkspaceEntityProcessor';
import { TerrasiftEntityProvider } from './provider/TerrasiftEntityProvider';

/** Mutations of all tenants at a time: the catalog's pool has few connections, and others need them. */
const APPLIED_AT_ONCE = 2;

/**
 * Keeps the catalog in step with Terrasift: an entity provider for each tenant in `terrasift.tenants`, and the kind
 * TerraformWorkspace.
 *
 * @public
 */
export const catalogModuleTerrasift = createBackendModule({
  pluginId: 'catalog',
  moduleId: 'terrasift',
  register(env) {
    env.registerInit({
      deps: {
        auth: coreServices.auth,
        catalog: catalogProcessingExtensionPoint,
        catalogService: catalogServiceRef,
        config: coreServices.rootConfig,
        database: coreServices.database,
        logger: coreServices.logger,
        scheduler: coreServices.scheduler,
      },
      async init(deps) {
        const { catalog, config, logger, scheduler } = deps;
        catalog.addProcessor(new TerraformWorkspaceEntityProcessor());
        const tenants = readTenants(config);
        if (tenants.length === 0) {
          logger.info('terrasift.tenants is empty: no entity is provided');
          return;
        }
        const context = {
          options: readFeedOptions(config),
          store: await FeedStore.create(deps.database),
          view: new CatalogView(deps.catalogService, deps.auth),
          metrics: new FeedMetrics(),
          logger,
          applying: pLimit(APPLIED_AT_ONCE),
        };
        for (const tenant of tenants) {
          // Each replica asks for the lease every few seconds, so that another goes on when the one that has it dies.
          const runner = scheduler.createScheduledTaskRunner({
            scope: 'local',
            frequency: {
              milliseconds: Math.min(context.options.leaseMs, 5000),
            },
            timeout: { hours: 1 },
          });
          catalog.addEntityProvider(
            new TerrasiftEntityProvider(tenant, runner, context),
          );
        }
      },
    });
  },
});
