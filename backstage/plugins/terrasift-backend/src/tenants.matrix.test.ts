import { Server } from 'http';
import { databaseServiceFactory } from '@backstage/backend-defaults/database';
import { schedulerServiceFactory } from '@backstage/backend-defaults/scheduler';
import { authServiceFactory } from '@backstage/backend-defaults/auth';
import { httpAuthServiceFactory } from '@backstage/backend-defaults/httpAuth';
import { userInfoServiceFactory } from '@backstage/backend-defaults/userInfo';
import { mockServices, startTestBackend } from '@backstage/backend-test-utils';
import authPlugin from '@backstage/plugin-auth-backend';
import { Entity, stringifyEntityRef } from '@backstage/catalog-model';
import catalogPlugin from '@backstage/plugin-catalog-backend';
import permissionPlugin from '@backstage/plugin-permission-backend';
import searchPlugin from '@backstage/plugin-search-backend';
import searchCatalogModule from '@backstage/plugin-search-backend-module-catalog';
import {
  Demo,
  EXAMPLE_PERSON_HEADER,
  examplePeople,
  PrivatePostgres,
  until,
} from '@terrasift/backstage-testbed';
import { GRANTS, PEOPLE, Role, TENANTS } from './__testUtils__/people';
import { snapshotModule } from './__testUtils__/snapshotModule';
import terrasift from '.';
import terrasiftPolicyModule from './policy';

interface World {
  demo: Demo;
  postgres: PrivatePostgres;
  server: Server;
  slugs: string[];
  /** Each tenant's ids that nobody else may see: entities and workspaces. */
  marks: Record<string, string[]>;
  entities: Record<string, Entity[]>;
  uids: Record<string, string>;
}

interface Call {
  method?: string;
  path: string;
  body?: object;
}

/** An endpoint, as far as one tenant is concerned. */
interface Endpoint {
  name: string;
  needs: 'reader' | 'admin';
  call(tenant: string, world: World): Call;
  /** Whether the answer shows the tenant, where a status alone does not tell. */
  shows?(body: any, tenant: string, world: World): boolean;
}

const below = (path: string, needs: Endpoint['needs']): Endpoint => ({
  name: `GET ${path}`,
  needs,
  call: (tenant, world) => ({
    path: `/api/terrasift/tenants/${tenant}${path.replace(
      ':workspace',
      world.marks[tenant].find(mark => mark.startsWith('ws-'))!,
    )}`,
  }),
});
const decides = (decision: string): Endpoint => ({
  name: `POST /dead-letters/:id/${decision}`,
  needs: 'admin',
  // A letter that is not there: whoever may decide is told so by Terrasift, whose code `dead_letter_not_found` shows it.
  call: tenant => ({
    method: 'POST',
    path: `/api/terrasift/tenants/${tenant}/dead-letters/999999/${decision}`,
  }),
  shows: body => /dead_letter_not_found/.test(JSON.stringify(body)),
});
const first = (tenant: string, world: World) => world.entities[tenant][0];
const isOf = (tenant: string) => (entity: Entity | null) =>
  entity?.metadata.namespace === tenant;

const ENDPOINTS: Endpoint[] = [
  {
    name: 'GET /tenants',
    needs: 'reader',
    call: () => ({ path: '/api/terrasift/tenants' }),
    shows: (body, tenant) =>
      !!body.tenants?.some((it: { id: string }) => it.id === tenant),
  },
  below('/status', 'reader'),
  below('/workspaces', 'reader'),
  below('/workspaces/:workspace', 'reader'),
  below('/resources?limit=5', 'reader'),
  below('/resources?workspace=:workspace', 'reader'),
  below('/resource-types', 'reader'),
  below('/runs?workspace=:workspace', 'reader'),
  below('/audit?workspace=:workspace&limit=1', 'reader'),
  below('/usage', 'admin'),
  below('/dead-letters', 'admin'),
  decides('retry'),
  decides('discard'),
  {
    name: 'catalog: entities by filter',
    needs: 'reader',
    call: tenant => ({
      path: `/api/catalog/entities?filter=metadata.namespace=${tenant}`,
    }),
    shows: (body, tenant) => Array.isArray(body) && body.some(isOf(tenant)),
  },
  {
    name: 'catalog: entities by query',
    needs: 'reader',
    call: tenant => ({
      path: `/api/catalog/entities/by-query?limit=500&fullTextFilterTerm=${tenant}&fullTextFilterFields=metadata.name`,
    }),
    shows: (body, tenant) => !!body.items?.some(isOf(tenant)),
  },
  {
    name: 'catalog: predicate query',
    needs: 'reader',
    call: tenant => ({
      method: 'POST',
      path: '/api/catalog/entities/by-query',
      body: { query: { 'metadata.namespace': tenant }, limit: 500 },
    }),
    shows: (body, tenant) => !!body.items?.some(isOf(tenant)),
  },
  {
    name: 'catalog: entities by refs',
    needs: 'reader',
    call: (tenant, world) => ({
      method: 'POST',
      path: '/api/catalog/entities/by-refs',
      body: { entityRefs: [stringifyEntityRef(first(tenant, world))] },
    }),
    shows: (body, tenant) => !!body.items?.some(isOf(tenant)),
  },
  {
    name: 'catalog: entity by name',
    needs: 'reader',
    call: (tenant, world) => {
      const { kind, metadata } = first(tenant, world);
      return {
        path: `/api/catalog/entities/by-name/${kind}/${metadata.namespace}/${metadata.name}`,
      };
    },
  },
  {
    name: 'catalog: ancestry',
    needs: 'reader',
    call: (tenant, world) => {
      const { kind, metadata } = first(tenant, world);
      return {
        path: `/api/catalog/entities/by-name/${kind}/${metadata.namespace}/${metadata.name}/ancestry`,
      };
    },
  },
  {
    name: 'catalog: entity by uid',
    needs: 'reader',
    call: (tenant, world) => ({
      path: `/api/catalog/entities/by-uid/${world.uids[tenant]}`,
    }),
  },
  {
    name: 'catalog: facets',
    needs: 'reader',
    call: () => ({
      path: '/api/catalog/entity-facets?facet=metadata.namespace',
    }),
    shows: (body, tenant) =>
      !!body.facets?.['metadata.namespace'].some(
        (it: { value: string }) => it.value === tenant,
      ),
  },
  {
    name: 'search',
    needs: 'reader',
    call: tenant => ({
      path: `/api/search/query?term=${tenant}&types[0]=software-catalog&pageLimit=100`,
    }),
    shows: (body, tenant) =>
      !!body.results?.some(
        (it: { document: { namespace: string } }) =>
          it.document.namespace === tenant,
      ),
  },
];

let world: World;
let cases = 0;

beforeAll(async () => {
  const [demo, postgres] = await Promise.all([
    Demo.start({ tenants: 3, workspaces: 3, changeEvery: 86_400 }),
    PrivatePostgres.start(),
  ]);
  const slugs = demo.tenants.map(it => it.tenant);
  const entities: Record<string, Entity[]> = {};
  const marks: Record<string, string[]> = {};
  for (const tenant of demo.tenants) {
    const { changes } = await demo.get(tenant, '/v1/snapshot?limit=60');
    entities[tenant.tenant] = changes.map((it: any) => it.entity);
    const { workspaces } = await demo.get(tenant, '/v1/workspaces');
    marks[tenant.tenant] = [
      tenant.tenant,
      ...workspaces.map((it: any) => it.workspace),
    ];
  }
  const { server } = await startTestBackend({
    features: [
      mockServices.rootConfig.factory({
        data: {
          app: { baseUrl: 'http://127.0.0.1' },
          auth: {
            environment: 'development',
            providers: { example: { development: {} } },
          },
          backend: {
            // Not what is listened on: the test backend takes a free port.
            listen: { host: '127.0.0.1' },
            baseUrl: 'http://127.0.0.1',
            database: { client: 'pg', connection: postgres.connection() },
          },
          permission: { enabled: true },
          search: {
            collators: {
              catalog: {
                schedule: {
                  frequency: { seconds: 3 },
                  initialDelay: { seconds: 1 },
                  timeout: { minutes: 1 },
                },
              },
            },
          },
          terrasift: {
            tenants: Object.fromEntries(
              demo.tenants.map(it => [
                it.tenant,
                {
                  baseUrl: it.url,
                  apiKey: it.key,
                  ...GRANTS[it.tenant],
                },
              ]),
            ),
          },
        },
      }),
      mockServices.rootLogger.factory({ level: 'none' }),
      databaseServiceFactory,
      schedulerServiceFactory,
      authServiceFactory,
      httpAuthServiceFactory,
      userInfoServiceFactory,
      authPlugin,
      examplePeople(
        Object.fromEntries(
          PEOPLE.flatMap(it => (it.ref ? [[it.ref, it.groups ?? []]] : [])),
        ),
      ),
      catalogPlugin,
      permissionPlugin,
      searchPlugin,
      searchCatalogModule,
      snapshotModule({ ...entities, '': [everybodys()] }),
      terrasift,
      terrasiftPolicyModule,
    ],
  });
  world = { demo, postgres, server, slugs, marks, entities, uids: {} };
  for (const tenant of slugs) await settled(tenant);
}, 300_000);

afterAll(async () => {
  await new Promise(resolve => world?.server.close(resolve));
  await Promise.all([world?.demo.stop(), world?.postgres.stop()]);
}, 60_000);

/** Waits until a tenant is in the catalog and in the index of the search. */
async function settled(tenant: string) {
  const frank = 'user:default/frank';
  const { kind, metadata } = first(tenant, world);
  const path = `/api/catalog/entities/by-name/${kind}/${metadata.namespace}/${metadata.name}`;
  await until(`${tenant} is in the catalog`, async () => {
    const { status, body } = await ask({ path }, frank);
    world.uids[tenant] = body.metadata?.uid;
    return status === 200;
  });
  const search = ENDPOINTS.find(it => it.name === 'search')!;
  await until(`${tenant} is in the search index`, async () => {
    const { body } = await ask(search.call(tenant, world), frank);
    return search.shows!(body, tenant, world);
  });
}

const tokens = new Map<string, string>();

/** Signs in as anybody would, once. */
async function tokenOf(ref: string): Promise<string> {
  const known = tokens.get(ref);
  if (known) return known;
  const { port } = world.server.address() as { port: number };
  const response = await fetch(
    `http://127.0.0.1:${port}/api/auth/example/refresh`,
    { headers: { [EXAMPLE_PERSON_HEADER]: ref } },
  );
  const { backstageIdentity } = await response.json();
  tokens.set(ref, backstageIdentity.token);
  return backstageIdentity.token;
}

async function ask({ method, path, body }: Call, ref?: string) {
  const { port } = world.server.address() as { port: number };
  const response = await fetch(`http://127.0.0.1:${port}${path}`, {
    method: method ?? 'GET',
    headers: {
      ...(body && { 'Content-Type': 'application/json' }),
      ...(ref && { Authorization: `Bearer ${await tokenOf(ref)}` }),
    },
    body: body && JSON.stringify(body),
  });
  const text = await response.text();
  let parsed;
  try {
    parsed = JSON.parse(text);
  } catch {
    parsed = {};
  }
  // An error repeats the address that the user asked for; that is no news to them.
  delete parsed?.request;
  return { status: response.status, body: parsed };
}

/** What stands in a text of tenants that somebody has no role in, and did not say first. */
function marksOfOthers(
  text: string,
  said: string,
  role: (tenant: string) => Role,
): string[] {
  return TENANTS.filter(tenant => role(tenant) === 'none')
    .flatMap(tenant => world.marks[tenant])
    .filter(mark => text.includes(mark) && !said.includes(mark));
}

describe('tenants are shown to whom they are granted, and to nobody else', () => {
  it('the demo has the tenants that the table is about', () => {
    expect(world.slugs).toEqual([...TENANTS]);
  });

  describe.each(PEOPLE)('$name', person => {
    const role = (tenant: string) =>
      person.roles[TENANTS.indexOf(tenant as (typeof TENANTS)[number])];

    it.each(ENDPOINTS)('$name', async endpoint => {
      for (const tenant of TENANTS) {
        const call = endpoint.call(tenant, world);
        const { status, body } = await ask(call, person.ref);
        const shown = endpoint.shows
          ? endpoint.shows(body, tenant, world)
          : status === 200;
        const mine = role(tenant);
        const expected =
          endpoint.needs === 'admin' ? mine === 'admin' : mine !== 'none';
        expect({ tenant, status, shown }).toEqual({
          tenant,
          status: expect.any(Number),
          shown: expected,
        });
        const refused = status === 401 || status === 403;
        expect(person.ref !== undefined || refused).toBe(true);
        // Whatever was asked: nothing of a tenant that is not theirs stands in the answer.
        const text = JSON.stringify(body);
        expect(marksOfOthers(text, call.path, role)).toEqual([]);
        cases += 1;
      }
    });
  });

  it('an admin of one tenant may not operate another that they only see', async () => {
    const { status } = await ask(
      { path: '/api/terrasift/tenants/cobalt-03/usage' },
      'user:default/erin',
    );
    expect(status).toBe(403);
  });

  it('a tenant that is not granted and one that does not exist are the same', async () => {
    const answers = await Promise.all(
      ['borealis-02', 'no-such-tenant'].map(tenant =>
        ask(
          { path: `/api/terrasift/tenants/${tenant}/status` },
          'user:default/alice',
        ),
      ),
    );
    expect(answers[0]).toEqual(answers[1]);
    expect(answers[0].status).toBe(404);
  });

  it('everybody sees what belongs to no tenant', async () => {
    const path = '/api/catalog/entities/by-name/component/default/everybodys';
    expect((await ask({ path }, 'user:default/eve')).status).toBe(200);
  });

  it('nobody deletes by hand what the provider keeps', async () => {
    for (const tenant of TENANTS) {
      const path = `/api/catalog/entities/by-uid/${world.uids[tenant]}`;
      const answer = await ask(
        { method: 'DELETE', path },
        'user:default/frank',
      );
      expect(answer.status).toBe(403);
      expect((await ask({ path }, 'user:default/frank')).status).toBe(200);
    }
  });

  it('were at least 200 cases', () => {
    expect(cases).toBe(PEOPLE.length * ENDPOINTS.length * TENANTS.length);
    expect(cases).toBeGreaterThanOrEqual(200);
  });
});

function everybodys(): Entity {
  return {
    apiVersion: 'backstage.io/v1alpha1',
    kind: 'Component',
    metadata: {
      name: 'everybodys',
      annotations: {
        'backstage.io/managed-by-location': 'url:http://example.com/a',
        'backstage.io/managed-by-origin-location': 'url:http://example.com/a',
      },
    },
    spec: { type: 'service', lifecycle: 'production', owner: 'somebody' },
  };
}
