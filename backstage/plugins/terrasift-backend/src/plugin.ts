import {
  coreServices,
  createBackendModule,
  createBackendPlugin,
} from '@backstage/backend-plugin-api';
import { terrasiftPermissions } from '@terrasift/backstage-plugin-terrasift-common';
import { createRouter } from './router';
import {
  hasTenant,
  isTenant,
  terrasiftTenantPermissionResourceRef,
} from './rules';
import { Grants } from './tenants';
import { TerrasiftClient } from './upstream/TerrasiftClient';

/**
 * What the cards talk to. It holds the keys of the tenants, and answers each user for the tenants granted to them.
 *
 * @public
 */
export const terrasiftPlugin = createBackendPlugin({
  pluginId: 'terrasift',
  register(env) {
    env.registerInit({
      deps: {
        auditor: coreServices.auditor,
        config: coreServices.rootConfig,
        httpAuth: coreServices.httpAuth,
        httpRouter: coreServices.httpRouter,
        permissions: coreServices.permissions,
        permissionsRegistry: coreServices.permissionsRegistry,
        userInfo: coreServices.userInfo,
      },
      async init({ config, httpRouter, ...services }) {
        services.permissionsRegistry.addResourceType({
          resourceRef: terrasiftTenantPermissionResourceRef,
          permissions: terrasiftPermissions,
          rules: [isTenant],
          getResources: async ids => ids.map(id => ({ id })),
        });
        httpRouter.use(
          createRouter({
            ...services,
            client: TerrasiftClient.fromConfig(config),
            grants: Grants.fromConfig(config),
          }),
        );
      },
    });
  },
});

/**
 * Teaches the catalog the rule HAS_TENANT, with which policies filter it in the database.
 *
 * @public
 */
export const catalogModuleTerrasiftTenantRule = createBackendModule({
  pluginId: 'catalog',
  moduleId: 'terrasift-tenant-rule',
  register(env) {
    env.registerInit({
      deps: { permissionsRegistry: coreServices.permissionsRegistry },
      async init({ permissionsRegistry }) {
        permissionsRegistry.addPermissionRules([hasTenant]);
      },
    });
  },
});
