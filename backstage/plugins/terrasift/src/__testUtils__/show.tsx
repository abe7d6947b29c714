import { Entity } from '@backstage/catalog-model';
import { renderInTestApp } from '@backstage/frontend-test-utils';
import {
  EntityProvider,
  entityRouteRef,
} from '@backstage/plugin-catalog-react';
import axe from 'axe-core';
import { TerrasiftApi, terrasiftApiRef } from '../api/TerrasiftApi';

/** Renders something on an entity's page. */
export function show(element: JSX.Element, api: TerrasiftApi, entity?: Entity) {
  return renderInTestApp(
    entity ? (
      <EntityProvider entity={entity}>{element}</EntityProvider>
    ) : (
      element
    ),
    {
      apis: [[terrasiftApiRef, api]],
      mountedRoutes: { '/catalog/:namespace/:kind/:name': entityRouteRef },
    },
  );
}

/** What axe finds; colours are looked at in a real browser. */
export async function accessibilityViolations(root: Element) {
  const { violations } = await axe.run(root, {
    rules: { 'color-contrast': { enabled: false }, region: { enabled: false } },
  });
  return violations.map(
    it => `${it.id}: ${it.nodes.map(node => node.html).join(' ')}`,
  );
}
