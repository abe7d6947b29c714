import { renderInTestApp, TestApiProvider } from '@backstage/test-utils';
import {
  createExtensionTester,
  renderTestApp,
} from '@backstage/frontend-test-utils';
import { EntityProvider } from '@backstage/plugin-catalog-react';
import { screen } from '@testing-library/react';
import { Route, Routes } from 'react-router-dom';
import { wellApi, workspaceEntity } from './__testUtils__/samples';
import { terrasiftApiRef } from './api/TerrasiftApi';
import { EntityTerraformWorkspaceCard, TerrasiftTenantPage } from './legacy';
import plugin from './index';

describe('in the new frontend system', () => {
  it('the page is at /terrasift', async () => {
    renderTestApp({
      features: [plugin],
      initialRouteEntries: ['/terrasift'],
      apis: [[terrasiftApiRef, wellApi()]],
    });
    expect(await screen.findByText('Onboarding')).toBeVisible();
  });

  it.each([
    'entity-card:terrasift/workspace',
    'entity-card:terrasift/sync',
    'entity-card:terrasift/sanitization',
    'entity-card:terrasift/resource',
    'entity-content:terrasift',
    'page:terrasift',
    'api:terrasift',
  ] as const)('has %s', id => {
    expect(createExtensionTester(plugin.getExtension(id)).snapshot().id).toBe(
      id,
    );
  });
});

describe('in the old frontend system', () => {
  it('cards and page are components', async () => {
    await renderInTestApp(
      <TestApiProvider apis={[[terrasiftApiRef, wellApi()]]}>
        <EntityProvider entity={workspaceEntity}>
          <EntityTerraformWorkspaceCard />
        </EntityProvider>
        <Routes>
          <Route path="/terrasift" element={<TerrasiftTenantPage />} />
        </Routes>
      </TestApiProvider>,
      { routeEntries: ['/terrasift'] },
    );
    expect(await screen.findByText('sv-s8FQ3Jyxu61dz9PB')).toBeVisible();
    expect(await screen.findByText('Onboarding')).toBeVisible();
  });
});
