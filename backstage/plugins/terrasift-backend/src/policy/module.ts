import {
  coreServices,
  createBackendModule,
} from '@backstage/backend-plugin-api';
import { policyExtensionPoint } from '@backstage/plugin-permission-node/alpha';
import { terrasiftPolicy } from './terrasiftPolicy';

/**
 * {@link terrasiftPolicy} as the only policy: in place of the one that allows everything. An installation that has its
 * own wraps that with `terrasiftPolicy` instead.
 *
 * @public
 */
export const permissionModuleTerrasiftPolicy = createBackendModule({
  pluginId: 'permission',
  moduleId: 'terrasift-policy',
  register(env) {
    env.registerInit({
      deps: {
        config: coreServices.rootConfig,
        policy: policyExtensionPoint,
      },
      async init({ config, policy }) {
        policy.setPolicy(terrasiftPolicy({ config }));
      },
    });
  },
});
