import { Server } from 'http';
import {
  mockCredentials,
  mockServices,
  startTestBackend,
} from '@backstage/backend-test-utils';
import { AuthorizeResult } from '@backstage/plugin-permission-common';
import { FakeTerrasift } from './__testUtils__/FakeTerrasift';
import { terrasiftPlugin } from './plugin';

const KEY = 'tsk_ThisIsTheKeyThatNobodyMaySee';
const SECRET = 'a body that is somebody else’s';
const ALICE = 'user:default/alice';
const ADMIN = 'user:default/admin';

let fake: FakeTerrasift;
let server: Server;
let audited: string[];
const logger = mockServices.logger.mock();

beforeEach(async () => {
  jest.clearAllMocks();
  logger.child.mockReturnValue(logger);
  fake = await FakeTerrasift.start();
  audited = [];
});

afterEach(async () => {
  await new Promise(resolve => server.close(resolve));
  await fake.stop();
});

async function start(
  cards: object = {},
  allowed: AuthorizeResult = AuthorizeResult.ALLOW,
) {
  const auditor = mockServices.auditor.mock({
    createEvent: async event => ({
      success: async () => {
        audited.push(`${event.eventId} ${JSON.stringify(event.meta)} done`);
      },
      fail: async () => {
        audited.push(`${event.eventId} ${JSON.stringify(event.meta)} failed`);
      },
    }),
  });
  ({ server } = await startTestBackend({
    features: [
      terrasiftPlugin,
      auditor.factory,
      logger.factory,
      mockServices.permissions.mock({
        authorize: async requests =>
          requests.map(() => ({ result: allowed } as any)),
        authorizeConditional: async requests =>
          requests.map(() => ({ result: allowed } as any)),
      }).factory,
      mockServices.rootConfig.factory({
        data: {
          terrasift: {
            cards,
            tenants: {
              acme: {
                baseUrl: fake.url,
                apiKey: KEY,
                grants: [ALICE],
                admins: [ADMIN],
              },
              other: { baseUrl: fake.url, apiKey: 'tsk_other' },
            },
          },
        },
      }),
    ],
  }));
}

async function ask(path: string, user = ALICE, method = 'GET') {
  const { port } = server.address() as { port: number };
  const response = await fetch(
    `http://127.0.0.1:${port}/api/terrasift${path}`,
    { method, headers: { Authorization: mockCredentials.user.header(user) } },
  );
  const text = await response.text();
  expect(text).not.toContain(KEY);
  expect(text).not.toContain(SECRET);
  expect(text).not.toContain(fake.url);
  expect(JSON.stringify(logger.warn.mock.calls)).not.toContain(SECRET);
  expect(JSON.stringify(logger.error.mock.calls)).not.toContain(SECRET);
  return { status: response.status, headers: response.headers, text };
}

describe('grants', () => {
  it('hold also where the permission framework allows everything', async () => {
    await start();
    expect((await ask('/tenants/acme/status')).status).toBe(200);
    expect((await ask('/tenants/acme/usage')).status).toBe(403);
    expect((await ask('/tenants/acme/usage', ADMIN)).status).toBe(200);
    expect((await ask('/tenants/other/status', ADMIN)).status).toBe(404);
    expect(fake.asked.map(it => it.url)).toEqual(['/v1/status', '/v1/usage']);
  });

  it('open nothing that the permission framework denies', async () => {
    await start({}, AuthorizeResult.DENY);
    expect((await ask('/tenants/acme/status', ADMIN)).status).toBe(403);
    expect(JSON.parse((await ask('/tenants', ADMIN)).text)).toEqual({
      tenants: [],
    });
    expect(fake.asked).toEqual([]);
  });

  it('list what each may do', async () => {
    await start();
    expect(JSON.parse((await ask('/tenants')).text)).toEqual({
      tenants: [
        {
          id: 'acme',
          permissions: ['terrasift.catalog.read', 'terrasift.audit.read'],
        },
      ],
    });
  });
});

describe('what a user sends', () => {
  it.each([
    ['/tenants/acme/workspaces/..%2Fusage'],
    ['/tenants/acme/workspaces/ws-1%3Fx'],
    ['/tenants/acme/audit/1%2F..'],
    ['/tenants/acme/runs?workspace=a&workspace=b'],
    ['/tenants/acme/runs?kind=x'],
    [`/tenants/acme/runs?cursor=${'x'.repeat(1025)}`],
  ])('reaches no other route: %s', async path => {
    await start();
    expect((await ask(path, ADMIN)).status).toBe(400);
    expect(fake.asked).toEqual([]);
  });

  it('is passed on as it is where it belongs', async () => {
    await start();
    const module = encodeURIComponent('module.a["&limit=1"]');
    await ask(`/tenants/acme/resources?module=${module}&limit=5`);
    const { searchParams } = new URL(fake.asked[0].url, 'http://x');
    expect(Object.fromEntries(searchParams)).toEqual({
      module: 'module.a["&limit=1"]',
      limit: '5',
    });
    expect(fake.asked[0].headers.authorization).toBe(`Bearer ${KEY}`);
  });
});

describe('answers are kept', () => {
  it('for a few seconds for all, and beyond by their tags', async () => {
    await start({ freshMs: 0 });
    fake.answer = (request, response) =>
      request.headers['if-none-match'] === '"one"'
        ? response.writeHead(304).end()
        : fake.json(response, 200, { one: 1 }, { etag: '"one"' });
    for (const _ of [1, 2]) {
      expect((await ask('/tenants/acme/status')).text).toBe('{"one":1}');
    }
    expect(fake.asked.map(it => it.headers['if-none-match'])).toEqual([
      undefined,
      '"one"',
    ]);
  });

  it('so that many at once are one request', async () => {
    await start();
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => ask('/tenants/acme/status')),
    );
    expect(answers.map(it => it.status)).toEqual(Array(10).fill(200));
    expect(fake.asked).toHaveLength(1);
  });

  it('until something is decided', async () => {
    await start();
    await ask('/tenants/acme/dead-letters', ADMIN);
    await ask('/tenants/acme/dead-letters/7/retry', ADMIN, 'POST');
    await ask('/tenants/acme/dead-letters', ADMIN);
    expect(fake.asked.map(it => `${it.method} ${it.url}`)).toEqual([
      'GET /v1/dead-letters',
      'POST /v1/dead-letters/7/retry',
      'GET /v1/dead-letters',
    ]);
    expect(audited).toEqual([
      'dead-letter-decide {"tenant":"acme","id":"7","decision":"retry"} done',
    ]);
  });
});

describe('a Terrasift that fails', () => {
  it.each([
    [400, { code: 'limit_out_of_range', detail: SECRET }, 400],
    [401, { code: 'key_invalid', detail: SECRET }, 503],
    [403, { code: 'scope_missing', detail: SECRET }, 503],
    [403, { code: 'tenant_suspended', detail: SECRET }, 503],
    [404, { code: 'workspace_not_found', detail: SECRET }, 404],
    [409, { code: 'dead_letter_settled', detail: SECRET }, 409],
    [410, { code: 'cursor_expired', detail: SECRET }, 400],
    [500, { code: SECRET }, 503],
    [502, { detail: SECRET }, 503],
  ])('answers %s %j', async (status, body, expected) => {
    await start();
    fake.answer = (_, response) => fake.json(response, status, body);
    const answer = await ask('/tenants/acme/status');
    expect(answer.status).toBe(expected);
    expect(fake.asked).toHaveLength(1);
  });

  it('is busy, and tells when it is not', async () => {
    await start();
    fake.answer = (_, response) =>
      fake.json(response, 429, { code: 'rate' }, { 'retry-after': '7' });
    const answer = await ask('/tenants/acme/status');
    expect(answer.status).toBe(503);
    expect(answer.headers.get('retry-after')).toBe('7');
  });

  it('sends on to elsewhere', async () => {
    await start();
    fake.answer = (_, response) =>
      response.writeHead(302, { location: `${fake.url}/elsewhere` }).end();
    expect((await ask('/tenants/acme/status')).status).toBe(503);
    expect(fake.asked).toHaveLength(1);
  });

  it.each([['no json'], ['[]'], ['"text"'], ['']])(
    'is no Terrasift: %j',
    async body => {
      await start();
      fake.answer = (_, response) => response.writeHead(200).end(body);
      expect((await ask('/tenants/acme/status')).status).toBe(503);
    },
  );

  it('does not answer in time', async () => {
    await start({ timeoutMs: 50 });
    fake.answer = () => {};
    const answer = await ask('/tenants/acme/status');
    expect(answer.status).toBe(503);
    expect(answer.text).toContain('does not answer in time');
  });

  it('breaks off', async () => {
    await start();
    fake.answer = (_, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('{"one"');
      response.destroy();
    };
    expect((await ask('/tenants/acme/status')).status).toBe(503);
  });

  it('never ends', async () => {
    await start();
    const chunk = Buffer.alloc(1024 * 1024, ' ');
    fake.answer = (_, response) => {
      const more = () => {
        while (!response.destroyed && response.write(chunk));
        if (!response.destroyed) response.once('drain', more);
      };
      more();
    };
    expect((await ask('/tenants/acme/status')).status).toBe(503);
  });

  it('fails a decision, and the audit tells so', async () => {
    await start();
    fake.answer = (_, response) =>
      fake.json(response, 409, { code: 'settled' });
    const path = '/tenants/acme/dead-letters/7/discard';
    expect((await ask(path, ADMIN, 'POST')).status).toBe(409);
    expect(audited).toEqual([
      'dead-letter-decide {"tenant":"acme","id":"7","decision":"discard"} failed',
    ]);
  });
});
