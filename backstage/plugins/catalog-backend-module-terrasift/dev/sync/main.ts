// The seeded runs of `make backstage-sync`: a real catalog on a real Postgres follows the real engine, both are killed at the
// steps of a page in an order that the seed decides, and at the end they must be equal. Each run says a line of JSON.
import { parseArgs } from 'util';
import { PrivatePostgres } from '@terrasift/backstage-testbed';
import { catalogDatabase } from '../../src/__testUtils__/backend';
import { CatalogProcess, Standby } from '../CatalogProcess';
import { Engine } from '../Engine';
import { CatalogDatabase } from './CatalogDatabase';
import { Gate } from './Gate';
import { Found, LIVELY, log, Run } from './Run';
import { seeds } from './seeds';

const DATABASE = 'sync';
const WORKSPACES = 6;
/** Catalogs are killed one right after the other. */
const STANDBY = 2;

async function run(
  seed: number,
  terrasift: string,
  standby: Standby,
): Promise<Found> {
  const cleanups: (() => Promise<void>)[] = [];
  try {
    const postgres = await PrivatePostgres.start();
    cleanups.push(() => postgres.stop());
    const engine = await Engine.create(terrasift, {
      seed,
      workspaces: WORKSPACES,
      requestsPerSecond: 50,
    });
    cleanups.push(() => engine.stop());
    const gate = new Gate(engine);
    const baseUrl = await gate.start();
    cleanups.push(() => gate.stop());
    const catalog = new CatalogProcess(
      {
        connection: postgres.connection(),
        name: DATABASE,
        terrasift: {
          baseUrl,
          // The gate puts the right one in: it changes with each start of the engine.
          tenants: { acme: { apiKey: 'in-the-gate' } },
          catalog: {
            pageSize: 25,
            settle: { seconds: 1 },
            compareEvery: { seconds: 20 },
            lease: { seconds: 1 },
          },
        },
      },
      standby,
    );
    cleanups.push(() => catalog.kill());
    log(`seed ${seed}`);
    await Promise.all([engine.start({ changeEvery: LIVELY }), catalog.start()]);
    const database = new CatalogDatabase(
      await postgres.client(catalogDatabase(DATABASE)),
    );
    cleanups.push(() => database.close());
    await database.layProbes();
    return await new Run(seed, engine, gate, catalog, database).run();
  } finally {
    for (const cleanup of cleanups.reverse()) await cleanup();
  }
}

async function main() {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string', default: '1' },
      terrasift: { type: 'string', default: 'terrasift' },
    },
  });
  const standby = new Standby(STANDBY);
  try {
    for (const seed of seeds(values.seeds!)) {
      const began = Date.now();
      // One that cannot be run to its end does not hide what the others find.
      const found = await run(seed, values.terrasift!, standby).catch(error => {
        log(error.stack);
        return { failed: error.message as string };
      });
      log(`seed ${seed} took ${Math.round((Date.now() - began) / 1000)} s`);
      process.stdout.write(`${JSON.stringify({ seed, ...found })}\n`);
      if (
        'failed' in found ||
        found.differences + found.removed_by_accident > 0
      ) {
        process.exitCode = 1;
      }
    }
  } finally {
    standby.stop();
  }
}

main().then(
  () => process.exit(),
  error => {
    process.stderr.write(`${error.stack}\n`);
    process.exit(1);
  },
);
