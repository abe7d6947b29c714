import { databaseServiceFactory } from '@backstage/backend-defaults/database';
import { schedulerServiceFactory } from '@backstage/backend-defaults/scheduler';
import {
  coreServices,
  createBackendModule,
} from '@backstage/backend-plugin-api';
import { mockServices, startTestBackend } from '@backstage/backend-test-utils';
import catalogPlugin from '@backstage/plugin-catalog-backend';
import { JsonObject } from '@backstage/types';
import { Knex } from 'knex';
import catalogModuleTerrasift from '..';
import { until } from '@terrasift/backstage-testbed';

/** The database that {@link startCatalog} uses. */
export function catalogDatabase(name: string): string {
  return `${name}_catalog`;
}

/** A real catalog on a real Postgres, with our module. */
export async function startCatalog(options: {
  connection: JsonObject;
  /** The catalog's database begins with it. */
  name: string;
  terrasift: JsonObject;
  catalog?: JsonObject;
  level?: 'none' | 'info' | 'warn' | 'debug';
}) {
  const data = {
    backend: {
      database: {
        client: 'pg',
        connection: options.connection,
        prefix: `${options.name}_`,
      },
    },
    catalog: options.catalog ?? { processingInterval: { minutes: 30 } },
    terrasift: options.terrasift,
  };
  let knex: Knex | undefined;
  const backend = await startTestBackend({
    features: [
      mockServices.rootConfig.factory({ data }),
      mockServices.rootLogger.factory({
        level: options.level ?? ((process.env.LEVEL as 'debug') || 'none'),
      }),
      databaseServiceFactory,
      schedulerServiceFactory,
      catalogPlugin,
      catalogModuleTerrasift,
      createBackendModule({
        pluginId: 'catalog',
        moduleId: 'database-of-the-test',
        register: env =>
          env.registerInit({
            deps: { database: coreServices.database },
            async init({ database }) {
              knex = await database.getClient();
            },
          }),
      }),
    ],
  });
  return {
    url: `http://127.0.0.1:${backend.server.port()}/api/catalog`,
    async stop() {
      await backend.stop();
      // Stopping leaves the pool's connections open.
      const pool = knex?.client.pool;
      await until(
        'nobody uses the pool',
        () => pool.numUsed() + pool.numPendingAcquires() === 0,
      );
      await knex?.destroy();
    },
  };
}
