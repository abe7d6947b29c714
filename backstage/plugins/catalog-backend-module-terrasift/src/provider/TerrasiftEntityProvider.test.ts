import { ServerResponse } from 'http';
import { JsonObject } from '@backstage/types';
import { catalogDatabase, startCatalog } from '../__testUtils__/backend';
import { entity, workspace } from '../__testUtils__/entity';
import { FakeFeed, Fault, json, problem } from '../__testUtils__/FakeFeed';
import { PrivatePostgres, until } from '@terrasift/backstage-testbed';

jest.setTimeout(120_000);

const names = (count: number) =>
  Array.from({ length: count }, (_, i) => `r${i}`);

function always(answer: (response: ServerResponse) => unknown): Fault {
  return (_, response) => {
    answer(response);
    return true;
  };
}

function refuse(status: number, code: string): Fault {
  return always(response => problem(response, status, code));
}

const cut = always(response => {
  response.writeHead(200, { 'content-length': '1000' });
  response.write('{"changes":[');
  response.destroy();
});

const emptyPages: Fault = (request, response) => {
  if (request.url!.includes('/by-ref/')) return false;
  json(response, 200, { changes: [], next_cursor: '1.0.0', has_more: false });
  return true;
};

const COMPARE_EVERY_MS = 3_600_000;

describe('TerrasiftEntityProvider', () => {
  let postgres: PrivatePostgres;
  let feed: FakeFeed;
  let baseUrl: string;
  /** Each test has a database of its own. */
  let turn = 0;
  let catalog: Awaited<ReturnType<typeof startCatalog>> | undefined;

  beforeAll(async () => {
    postgres = await PrivatePostgres.start();
  });

  afterAll(async () => {
    await postgres.stop();
  });

  beforeEach(async () => {
    turn += 1;
    feed = new FakeFeed();
    baseUrl = await feed.start();
  });

  afterEach(async () => {
    await stop();
    await feed.stop();
  });

  async function start(
    options: {
      tenant?: JsonObject;
      tenants?: JsonObject;
      settings?: JsonObject;
      catalog?: JsonObject;
    } = {},
  ) {
    catalog = await startCatalog({
      connection: postgres.connection(),
      name: `test${turn}`,
      catalog: options.catalog,
      terrasift: {
        baseUrl,
        tenants: options.tenants ?? {
          acme: { apiKey: 'key-of-acme', ...options.tenant },
        },
        catalog: {
          pageSize: 4,
          compareEvery: { milliseconds: COMPARE_EVERY_MS },
          settle: { hours: 1 },
          lease: { seconds: 1 },
          ...options.settings,
        },
      },
    });
  }

  async function stop() {
    await catalog?.stop();
    catalog = undefined;
  }

  const sql = (text: string) =>
    postgres.query(catalogDatabase(`test${turn}`), text);

  async function inCatalog(): Promise<string[]> {
    const rows = await sql(
      'SELECT entity_ref FROM refresh_state ORDER BY entity_ref COLLATE "C"',
    );
    return rows.map(row => row.entity_ref);
  }

  async function same(): Promise<boolean> {
    return (await inCatalog()).join() === feed.live().join();
  }

  const asked = (times: number, what: string) =>
    until(`it asks again after ${what}`, () => feed.requests.length >= times);

  const caughtUp = () => until('the catalog has what the feed has', same);

  const visible = (count: number) =>
    until(
      'the catalog has processed everything',
      async () =>
        (
          await sql(
            'SELECT 1 FROM final_entities WHERE final_entity IS NOT NULL',
          )
        ).length === count,
    );

  async function standing(): Promise<any> {
    return (await sql('SELECT * FROM terrasift_feeds'))[0];
  }

  /** Has a comparison made, and waits for its end. Without `settle`, no other one is made meanwhile. */
  async function compared() {
    const now = Date.now();
    await sql('UPDATE terrasift_feeds SET suspect = true');
    await until('a comparison is made', async () => {
      const { suspect, compare_at: next } = await standing();
      return !suspect && Number(next) - COMPARE_EVERY_MS >= now;
    });
  }

  /** Rows that were written in the catalog's tables, ours left out, as Postgres counts them. */
  async function rowsWritten(): Promise<number> {
    await sql('SELECT pg_stat_force_next_flush()').catch(() => []);
    const [row] = await sql(
      `SELECT sum(n_tup_ins + n_tup_upd + n_tup_del)::int AS written
       FROM pg_stat_user_tables
       WHERE relname IN ('refresh_state', 'refresh_state_references')`,
    );
    return row.written;
  }

  it('reads everything in pages, then follows', async () => {
    feed.put(workspace());
    feed.upsert(...names(10));
    await start();
    await caughtUp();
    const [row] = await sql(
      "SELECT unprocessed_entity FROM refresh_state WHERE entity_ref = 'resource:acme/r3'",
    );
    expect(JSON.parse(row.unprocessed_entity).metadata.annotations).toEqual({
      'backstage.io/managed-by-location': 'terrasift:acme/ws-1',
      'backstage.io/managed-by-origin-location': 'terrasift:acme/ws-1',
      'terraform.io/workspace-id': 'ws-1',
      'terrasift.io/digest': expect.stringMatching(/^[0-9a-f]{32}$/),
      'terrasift.io/tenant': 'acme',
    });
    await until('it waits at the end', () =>
      feed.requests.some(it => /changes.*wait=[1-9]/.test(it)),
    );

    feed.upsert('new');
    feed.remove('r3', 'r4');
    feed.put(entity('r5', 'changed'));
    await caughtUp();
    await until(
      'the change is there',
      async () =>
        (
          await sql(
            "SELECT 1 FROM refresh_state WHERE entity_ref = 'resource:acme/r5' AND unprocessed_entity LIKE '%\"changed\"%'",
          )
        ).length === 1,
    );
  });

  it('gives the kind its relations, there and back', async () => {
    feed.put(workspace());
    feed.upsert('db');
    await start();
    const relations = async () =>
      (
        await sql(
          "SELECT source_entity_ref || ' ' || type || ' ' || target_entity_ref AS it FROM relations ORDER BY 1",
        )
      ).map(row => row.it);
    await until(
      'both are processed',
      async () => (await relations()).length === 12,
    );
    expect(await relations()).toEqual(
      [
        'terraformworkspace:acme/network ownedBy group:acme/net-ops',
        'group:acme/net-ops ownerOf terraformworkspace:acme/network',
        'terraformworkspace:acme/network partOf system:acme/platform',
        'system:acme/platform hasPart terraformworkspace:acme/network',
        'terraformworkspace:acme/network dependsOn resource:acme/elsewhere',
        'resource:acme/elsewhere dependencyOf terraformworkspace:acme/network',
        'resource:acme/db partOf terraformworkspace:acme/network',
        'terraformworkspace:acme/network hasPart resource:acme/db',
        'resource:acme/db dependsOn terraformworkspace:acme/network',
        'terraformworkspace:acme/network dependencyOf resource:acme/db',
        'resource:acme/db ownedBy group:acme/net-ops',
        'group:acme/net-ops ownerOf resource:acme/db',
      ].sort(),
    );
  });

  it('goes on after a restart where it stood, and writes no row for what did not change', async () => {
    feed.upsert(...names(10));
    await start();
    await caughtUp();
    await visible(10);
    const { cursor } = await standing();
    await stop();

    feed.requests.length = 0;
    await start();
    await until('it asks', () => feed.requests.length > 0);
    expect(feed.requests[0]).toContain(`cursor=${cursor}`);
    await stop();

    // A replay of everything.
    await sql('UPDATE terrasift_feeds SET cursor = NULL, counted = 0');
    const written = await rowsWritten();
    feed.requests.length = 0;
    await start();
    await until('all is read again', () =>
      feed.requests.some(it => /wait=[1-9]/.test(it)),
    );
    expect((await standing()).counted).toBe(10);
    await stop();
    expect(await rowsWritten()).toBe(written);
  });

  it('reads everything again when its cursor has expired, and removes what went meanwhile', async () => {
    feed.upsert(...names(10));
    await start({ settings: { settle: { milliseconds: 100 } } });
    await caughtUp();
    await until(
      'it was compared',
      async () => (await standing())?.baseline === 10,
    );
    feed.rebuild([...names(9), 'new']);
    await caughtUp();
    expect(await inCatalog()).not.toContain('resource:acme/r9');
  });

  it('sends everything again when entities are made in another way than before', async () => {
    feed.upsert(...names(3));
    await start();
    await caughtUp();
    await stop();
    await sql('UPDATE terrasift_feeds SET format = 0');
    feed.requests.length = 0;
    await start();
    await until('it begins anew', () =>
      feed.requests.some(it => !it.includes('cursor=')),
    );
    await until('and says so', async () => (await standing()).format === 1);
    expect(await inCatalog()).toHaveLength(3);
  });

  it('heals what the catalog dropped, changed or kept', async () => {
    feed.upsert(...names(10));
    await start();
    await caughtUp();
    await visible(10);
    await compared();
    feed.fault = (request, response) => {
      // The feed stands still, so that only a comparison can heal.
      if (!request.url!.includes('/v1/changes?')) return false;
      const cursor = new URL(request.url!, 'http://fake').searchParams.get(
        'cursor',
      );
      json(response, 200, {
        changes: [],
        next_cursor: cursor,
        has_more: false,
      });
      return true;
    };
    await sql(
      "DELETE FROM refresh_state WHERE entity_ref = 'resource:acme/r1'",
    );
    feed.remove('r2');
    feed.put(entity('r3', 'changed'));
    await compared();
    await caughtUp();
    const [row] = await sql(
      "SELECT unprocessed_entity FROM refresh_state WHERE entity_ref = 'resource:acme/r3'",
    );
    expect(row.unprocessed_entity).toContain('changed');
  });

  it('heals what the catalog processed and never showed, since it died in between', async () => {
    feed.upsert(...names(3));
    await start({ settings: { settle: { milliseconds: 200 } } });
    await caughtUp();
    await visible(3);
    await sql(
      "UPDATE final_entities SET final_entity = NULL, hash = '' WHERE entity_ref = 'resource:acme/r1'",
    );
    await sql('UPDATE terrasift_feeds SET suspect = true');
    await visible(3);
    const [row] = await sql(
      "SELECT final_entity FROM final_entities WHERE entity_ref = 'resource:acme/r1'",
    );
    expect(JSON.parse(row.final_entity).metadata.annotations).toHaveProperty([
      'terrasift.io/resent-at',
    ]);
  });

  it('leaves out what the catalog would refuse, and takes the rest of the page', async () => {
    const broken = { ...entity('broken'), apiVersion: '' };
    feed.upsert('r1');
    feed.put(broken);
    feed.upsert('r2');
    await start();
    await until('the others are there', async () =>
      (await inCatalog()).includes('resource:acme/r2'),
    );
    expect(await inCatalog()).toEqual(['resource:acme/r1', 'resource:acme/r2']);
  });

  describe('deletes nothing', () => {
    const all = names(20);
    const everything = all.map(name => `resource:acme/${name}`).sort();

    async function settled(options = {}) {
      feed.upsert(...all);
      await start({
        settings: { removals: { alwaysAllowed: 0, maxPercent: 20 } },
        ...options,
      });
      await caughtUp();
      await visible(20);
      await compared();
    }

    it('when the tenant is disabled', async () => {
      await settled();
      await stop();
      feed.requests.length = 0;
      await start({ tenant: { enabled: false } });
      await until(
        'the catalog runs',
        async () => (await inCatalog()).length > 0,
      );
      expect(feed.requests).toEqual([]);
      expect(await inCatalog()).toEqual(everything);
    });

    it('when the tenant is renamed: by its new names the entities are there before the old ones go', async () => {
      feed.upsert(...all);
      await start({
        settings: {
          settle: { milliseconds: 200 },
          removals: { alwaysAllowed: 0, maxPercent: 20 },
        },
      });
      await until(
        'it was compared',
        async () => (await standing())?.baseline === 20,
      );
      for (const name of all) {
        const renamed = entity(name);
        renamed.metadata.namespace = 'apex';
        feed.put(renamed);
      }
      feed.remove(...all);
      await until(
        'the new names are there',
        async () =>
          (await inCatalog()).filter(it => it.includes(':apex/')).length === 20,
      );
      // All old names are more than may go at once: a comparison has to see first that there are as many new ones.
      await caughtUp();
      expect(await inCatalog()).toHaveLength(20);
    });

    it.each([
      ['answers with nothing', () => (feed.fault = emptyPages)],
      ['is rebuilt empty', () => feed.rebuild([])],
      [
        'is rebuilt with less than the guard lets go',
        () => feed.rebuild(all.slice(0, 15)),
      ],
      [
        'removes more than the guard lets go',
        () => feed.remove(...all.slice(0, 16)),
      ],
    ])('when the feed %s', async (what, happen) => {
      await settled();
      happen();
      await compared();
      const left = (await inCatalog()).length;
      // What was removed by name may go up to the guard's limit.
      expect(left).toBe(what.startsWith('removes') ? 16 : 20);
    });

    it('when a snapshot is cut by less than the guard would let go', async () => {
      await settled();
      feed.cutSnapshot = ref => ref.endsWith('/r7') || ref.endsWith('/r8');
      await compared();
      expect(await inCatalog()).toEqual(everything);
    });

    it('whatever the feed answers, and follows when it is well', async () => {
      const faults: [string, Fault][] = [
        ['an answer that is cut', cut],
        ['no JSON', always(response => response.end('<html>'))],
        ['no page', always(response => json(response, 200, {}))],
        ['401', refuse(401, 'unauthorized')],
        ['a suspended tenant', refuse(403, 'tenant_suspended')],
        ['404', refuse(404, 'route_not_found')],
        ['429', refuse(429, 'rate_limited')],
        ['503', refuse(503, 'store_unavailable')],
      ];
      await settled();
      const expected = [...everything];
      for (const [what, fault] of faults) {
        feed.fault = fault;
        const before = feed.requests.length;
        const name = `new${expected.length}`;
        feed.upsert(name);
        await asked(before + 2, what);
        expect([what, await inCatalog()]).toEqual([what, expected]);
        feed.fault = undefined;
        await caughtUp();
        expected.push(`resource:acme/${name}`);
        expected.sort();
      }
    });

    it('until somebody says that so many may go', async () => {
      await settled();
      feed.rebuild(all.slice(0, 2));
      await compared();
      expect(await inCatalog()).toHaveLength(20);
      await stop();
      await start({ settings: { removals: { maxPercent: 100 } } });
      await compared();
      await caughtUp();
    });
  });

  it('hands a feed over when the replica that follows it dies', async () => {
    feed.upsert('r1');
    await start();
    await caughtUp();
    await stop();
    // As if it had been killed: nobody gave the lease back.
    await sql(
      `UPDATE terrasift_feeds SET lease_owner = 'dead', lease_until = ${
        Date.now() + 3000
      }`,
    );
    feed.upsert('r2');
    await start();
    await caughtUp();
    expect((await standing()).lease_owner).not.toBe('dead');
  });
});
