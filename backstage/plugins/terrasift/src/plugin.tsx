import {
  ApiBlueprint,
  createFrontendPlugin,
  createRouteRef,
  discoveryApiRef,
  fetchApiRef,
  PageBlueprint,
} from '@backstage/frontend-plugin-api';
import {
  EntityCardBlueprint,
  EntityContentBlueprint,
} from '@backstage/plugin-catalog-react/alpha';
import { RiStackLine } from '@remixicon/react';
import { terrasiftApiRef } from './api/TerrasiftApi';
import { TerrasiftClient } from './api/TerrasiftClient';
import {
  isTerrasiftEntity,
  isTerrasiftWorkspace,
} from './hooks/useTerraformEntity';

const rootRouteRef = createRouteRef();

const api = ApiBlueprint.make({
  params: defineParams =>
    defineParams({
      api: terrasiftApiRef,
      deps: { discoveryApi: discoveryApiRef, fetchApi: fetchApiRef },
      factory: deps => new TerrasiftClient(deps),
    }),
});

const workspaceCard = EntityCardBlueprint.make({
  name: 'workspace',
  params: {
    type: 'content',
    filter: isTerrasiftWorkspace,
    loader: async () =>
      import('./components/WorkspaceCard').then(m => <m.WorkspaceCard />),
  },
});

const syncCard = EntityCardBlueprint.make({
  name: 'sync',
  params: {
    type: 'content',
    filter: isTerrasiftWorkspace,
    loader: async () =>
      import('./components/SyncCard').then(m => <m.SyncCard />),
  },
});

const sanitizationCard = EntityCardBlueprint.make({
  name: 'sanitization',
  params: {
    type: 'content',
    filter: isTerrasiftWorkspace,
    loader: async () =>
      import('./components/SanitizationCard').then(m => <m.SanitizationCard />),
  },
});

const resourceCard = EntityCardBlueprint.make({
  name: 'resource',
  params: {
    type: 'info',
    filter: entity =>
      isTerrasiftEntity(entity) && !isTerrasiftWorkspace(entity),
    loader: async () =>
      import('./components/ResourceCard').then(m => <m.ResourceCard />),
  },
});

const content = EntityContentBlueprint.make({
  params: {
    path: '/terraform',
    title: 'Terraform',
    filter: isTerrasiftWorkspace,
    loader: async () =>
      import('./components/TerraformContent').then(m => <m.TerraformContent />),
  },
});

const page = PageBlueprint.make({
  params: {
    path: '/terrasift',
    title: 'Terrasift',
    icon: <RiStackLine />,
    routeRef: rootRouteRef,
    loader: async () =>
      import('./components/admin/TenantPage').then(m => <m.TenantPage />),
  },
});

/**
 * Cards and a tab on the entities that Terrasift keeps, and a page for who operates a tenant.
 *
 * @public
 */
export const terrasiftPlugin = createFrontendPlugin({
  pluginId: 'terrasift',
  title: 'Terrasift',
  icon: <RiStackLine />,
  info: { packageJson: () => import('../package.json') },
  routes: { root: rootRouteRef },
  extensions: [
    api,
    workspaceCard,
    syncCard,
    sanitizationCard,
    resourceCard,
    content,
    page,
  ],
});
