/**
 * Terrasift's cards, tab and page for apps of the old frontend system.
 *
 * @packageDocumentation
 */

import {
  createApiFactory,
  createComponentExtension,
  createPlugin,
  createRoutableExtension,
  createRouteRef,
  discoveryApiRef,
  fetchApiRef,
} from '@backstage/core-plugin-api';
import { terrasiftApiRef } from './api/TerrasiftApi';
import { TerrasiftClient } from './api/TerrasiftClient';

export {
  isTerrasiftEntity,
  isTerrasiftWorkspace,
} from './hooks/useTerraformEntity';

const rootRouteRef = createRouteRef({ id: 'terrasift' });

/**
 * The plugin, for the old frontend system.
 *
 * @public
 */
export const terrasiftPlugin = createPlugin({
  id: 'terrasift',
  routes: { root: rootRouteRef },
  apis: [
    createApiFactory({
      api: terrasiftApiRef,
      deps: { discoveryApi: discoveryApiRef, fetchApi: fetchApiRef },
      factory: deps => new TerrasiftClient(deps),
    }),
  ],
});

/**
 * The page of who operates a tenant, for a route such as `/terrasift`.
 *
 * @public
 */
export const TerrasiftTenantPage: () => JSX.Element = terrasiftPlugin.provide(
  createRoutableExtension({
    name: 'TerrasiftTenantPage',
    component: () =>
      import('./components/admin/TenantPage').then(m => m.TenantPage),
    mountPoint: rootRouteRef,
  }),
);

/**
 * The workspace itself. Show it `if={isTerrasiftWorkspace}`.
 *
 * @public
 */
export const EntityTerraformWorkspaceCard: () => JSX.Element =
  terrasiftPlugin.provide(
    createComponentExtension({
      name: 'EntityTerraformWorkspaceCard',
      component: {
        lazy: () =>
          import('./components/WorkspaceCard').then(m => m.WorkspaceCard),
      },
    }),
  );

/**
 * How the workspace's syncing stands. Show it `if={isTerrasiftWorkspace}`.
 *
 * @public
 */
export const EntityTerraformSyncCard: () => JSX.Element =
  terrasiftPlugin.provide(
    createComponentExtension({
      name: 'EntityTerraformSyncCard',
      component: {
        lazy: () => import('./components/SyncCard').then(m => m.SyncCard),
      },
    }),
  );

/**
 * What was redacted in the workspace's state. Show it `if={isTerrasiftWorkspace}`.
 *
 * @public
 */
export const EntityTerraformSanitizationCard: () => JSX.Element =
  terrasiftPlugin.provide(
    createComponentExtension({
      name: 'EntityTerraformSanitizationCard',
      component: {
        lazy: () =>
          import('./components/SanitizationCard').then(m => m.SanitizationCard),
      },
    }),
  );

/**
 * Where a resource comes from. Show it `if={isTerrasiftEntity}` on resources.
 *
 * @public
 */
export const EntityTerraformResourceCard: () => JSX.Element =
  terrasiftPlugin.provide(
    createComponentExtension({
      name: 'EntityTerraformResourceCard',
      component: {
        lazy: () =>
          import('./components/ResourceCard').then(m => m.ResourceCard),
      },
    }),
  );

/**
 * Everything about a workspace, for a tab of its page. Show it `if={isTerrasiftWorkspace}`.
 *
 * @public
 */
export const EntityTerraformContent: () => JSX.Element =
  terrasiftPlugin.provide(
    createComponentExtension({
      name: 'EntityTerraformContent',
      component: {
        lazy: () =>
          import('./components/TerraformContent').then(m => m.TerraformContent),
      },
    }),
  );
