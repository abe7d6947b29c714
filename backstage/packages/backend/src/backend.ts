import { createBackend } from '@backstage/backend-defaults';
import { examplePeople } from '@terrasift/backstage-testbed';
import { PEOPLE } from './people';

/** A Backstage as small as one that shows everything of ours can be. */
export function backstage() {
  const backend = createBackend();

  backend.add(import('@backstage/plugin-app-backend'));
  backend.add(import('@backstage/plugin-auth-backend'));
  backend.add(examplePeople(PEOPLE));
  backend.add(import('@backstage/plugin-catalog-backend'));
  backend.add(
    import('@backstage/plugin-catalog-backend-module-scaffolder-entity-model'),
  );
  backend.add(import('@backstage/plugin-permission-backend'));
  backend.add(import('@backstage/plugin-scaffolder-backend'));
  backend.add(import('@backstage/plugin-search-backend'));
  backend.add(import('@backstage/plugin-search-backend-module-catalog'));

  // Terrasift: the entities, what the cards talk to, and who sees what.
  backend.add(
    import('@terrasift/backstage-plugin-catalog-backend-module-terrasift'),
  );
  backend.add(import('@terrasift/backstage-plugin-terrasift-backend'));
  backend.add(import('@terrasift/backstage-plugin-terrasift-backend/policy'));

  return backend;
}
