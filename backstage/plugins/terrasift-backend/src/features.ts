import { createBackendFeatureLoader } from '@backstage/backend-plugin-api';
import { catalogModuleTerrasiftTenantRule, terrasiftPlugin } from './plugin';

/**
 * The plugin, and the rule that the catalog needs.
 *
 * @public
 */
export const terrasiftFeatures = createBackendFeatureLoader({
  *loader() {
    yield terrasiftPlugin;
    yield catalogModuleTerrasiftTenantRule;
  },
});
