// The measurement of `make backstage-latency`: a real catalog that has as many entities as a large installation follows the
// real engine while its world changes, and each change is timed: until the provider gave it to the catalog, and until the
// catalog's API shows it. The last line is JSON.
import { setTimeout as delay } from 'timers/promises';
import { parseArgs } from 'util';
import { JsonObject } from '@backstage/types';
import { PrivatePostgres, until } from '@terrasift/backstage-testbed';
import { catalogDatabase } from '../../src/__testUtils__/backend';
import { CatalogProcess } from '../CatalogProcess';
import { Engine } from '../Engine';
import { Catalog, REFS_AT_ONCE } from './Catalog';
import { FeedWatch } from './FeedWatch';
import { Place, Stopwatch } from './Stopwatch';

const DATABASE = 'latency';
/** The demo has some more in a workspace in the middle; in a few of them, there may be less. */
const ENTITIES_OF_A_WORKSPACE = 30;
const WORKSPACES_MORE = 5;
/** The simulated Terraform Cloud lets 30 requests through. */
const REQUESTS_PER_SECOND = 25;
/** Between two looks at a place; each costs the catalog something. */
const LOOK_MS: Record<Place, number> = { provider: 20, visible: 100 };
/** Between two looks at what is not shown yet. */
const SHOWN_MS = 10_000;
/** Longest first sync of the catalog, and longest wait for its queue to be empty afterwards. */
const SYNC_MS_MAX = 3_600_000;
const REST_MS_MAX = 300_000;
/** A change that takes longer counts as an error. */
const CHANGE_MS_MAX = 1_800_000;

interface Options {
  entities: number;
  /** Of `catalog.processingInterval`; without, the catalog's own, for which nothing is promised. */
  interval: string | undefined;
  /** Changes of the world that are measured. */
  changes: number;
  /** Seconds between two of them; each changes some entities. */
  changeEvery: number;
  seed: number;
  terrasift: string;
}

/** What is promised, in milliseconds. */
const PROVIDER_MS_MAX = 1_000;
const VISIBLE_P95_MS_MAX = 10_000;

class Measurement {
  readonly #stopwatch = new Stopwatch();
  readonly #watch: FeedWatch;
  readonly #ended = new AbortController();
  #failure: unknown;
  #isMeasuring = false;
  /** Changes from then on are timed, by `performance.now()`. */
  #timedSince = Infinity;
  #queuedMax = 0;

  constructor(
    private readonly options: Options,
    engine: Engine,
    private readonly catalog: Catalog,
  ) {
    this.#watch = new FeedWatch(
      engine,
      change =>
        // One from before may have arrived long since.
        this.#stopwatch.changed(change, change.notBefore >= this.#timedSince),
      () => this.#isMeasuring,
    );
  }

  async run() {
    const failed = (error: unknown) => {
      this.#failure ??= error;
    };
    await this.#watch.start(failed);
    const entities = this.#watch.live.size;
    log(`the feed has ${entities} entities`);
    if (entities < this.options.entities) {
      throw new Error(`the demo has fewer entities than asked for`);
    }
    const began = performance.now();
    await this.#shown();
    const shownS = Math.round((performance.now() - began) / 1000);
    log(`all are shown after ${shownS} s`);
    const settled = await this.#atRest();
    log(
      settled ? 'the catalog is at rest' : 'the catalog does not come to rest',
    );
    const looking = (['provider', 'visible'] as const)
      .map(place => this.#look(place))
      .concat(this.#lookAtQueue())
      .map(it => it.catch(failed));
    await this.#measure();
    this.#ended.abort();
    await Promise.all(looking);
    await this.#watch.stop();
    const ms = (place: Place, percent: number) =>
      this.#stopwatch.percentileMs(place, percent);
    return {
      entities,
      interval: this.options.interval ?? 'default',
      changes: this.#stopwatch.changes,
      changed_entities: this.#stopwatch.entities,
      first_sync_s: shownS,
      settled,
      provider_p50_ms: ms('provider', 50),
      provider_p95_ms: ms('provider', 95),
      provider_max_ms: ms('provider', 100),
      visible_p50_ms: ms('visible', 50),
      visible_p95_ms: ms('visible', 95),
      visible_max_ms: ms('visible', 100),
      queued_max: this.#queuedMax,
      errors:
        this.#stopwatch.waiting('provider').length +
        this.#stopwatch.waiting('visible').length +
        (await this.catalog.failed()),
    };
  }

  /** Until the API has shown each entity that the feed had when the catalog began. */
  async #shown(): Promise<void> {
    const left = new Set(this.#watch.live);
    const isDone = async () => {
      this.#check();
      // It was removed since.
      for (const ref of left) if (!this.#watch.live.has(ref)) left.delete(ref);
      for (;;) {
        const before = left.size;
        const found = await this.catalog.shown([...left]);
        found.forEach((digest, ref) => digest && left.delete(ref));
        // A request asks for some of them: the next ones may be shown, too.
        if (left.size === 0 || left.size + REFS_AT_ONCE > before) break;
      }
      // Nobody is in a hurry: looking takes from what is looked at.
      if (left.size > 0) {
        log(`${left.size} are not shown yet`);
        await delay(SHOWN_MS);
      }
      return left.size === 0;
    };
    await until('all entities are shown', isDone, SYNC_MS_MAX);
  }

  /** Until a comparison has found all and nothing is queued; false where the queue never empties. */
  async #atRest(): Promise<boolean> {
    const isCompared = async () => {
      await delay(1000);
      return this.catalog.isCompared();
    };
    await until('a comparison was made', isCompared, SYNC_MS_MAX);
    const isAtRest = async () => {
      this.#check();
      return (await this.catalog.queued()) === 0;
    };
    return until('nothing is queued', isAtRest, REST_MS_MAX).then(
      () => true,
      () => false,
    );
  }

  async #measure(): Promise<void> {
    this.#isMeasuring = true;
    this.#timedSince = performance.now();
    const enough = async () => {
      this.#check();
      return this.#stopwatch.changes >= this.options.changes;
    };
    await until('the world has changed', enough, SYNC_MS_MAX);
    this.#timedSince = Infinity;
    const arrived = async () => {
      this.#check();
      return (
        this.#stopwatch.waiting('provider').length +
          this.#stopwatch.waiting('visible').length ===
        0
      );
    };
    // What has not arrived by then is told as an error.
    await until('all changes have arrived', arrived, CHANGE_MS_MAX).catch(
      error => log(error.message),
    );
  }

  async #look(place: Place): Promise<void> {
    const find = (refs: string[]) =>
      place === 'visible' ? this.catalog.shown(refs) : this.catalog.given(refs);
    while (!this.#ended.signal.aborted) {
      const refs = this.#stopwatch.waiting(place);
      if (refs.length > 0) this.#stopwatch.seen(place, await find(refs));
      await delay(LOOK_MS[place]);
    }
  }

  async #lookAtQueue(): Promise<void> {
    while (!this.#ended.signal.aborted) {
      this.#queuedMax = Math.max(this.#queuedMax, await this.catalog.queued());
      await delay(1000);
    }
  }

  #check(): void {
    if (this.#failure) throw this.#failure;
  }
}

function read(): Options {
  const { values } = parseArgs({
    options: {
      entities: { type: 'string', default: '20000' },
      interval: { type: 'string' },
      changes: { type: 'string', default: '150' },
      'change-every': { type: 'string', default: '2' },
      seed: { type: 'string', default: '1' },
      terrasift: { type: 'string', default: 'terrasift' },
    },
  });
  const number = (name: keyof typeof values, min: number) => {
    const value = Number(values[name]);
    if (!(value >= min)) {
      throw new Error(`--${name}: expected a number from ${min}`);
    }
    return value;
  };
  return {
    entities: number('entities', 1),
    interval: values.interval || undefined,
    changes: number('changes', 1),
    changeEvery: number('change-every', 0.05),
    seed: number('seed', 0),
    terrasift: values.terrasift!,
  };
}

async function main() {
  const options = read();
  const cleanups: (() => Promise<void>)[] = [];
  try {
    const postgres = await PrivatePostgres.start();
    cleanups.push(() => postgres.stop());
    const engine = await Engine.create(options.terrasift, {
      seed: options.seed,
      workspaces:
        Math.ceil(options.entities / ENTITIES_OF_A_WORKSPACE) + WORKSPACES_MORE,
      requestsPerSecond: REQUESTS_PER_SECOND,
    });
    cleanups.push(() => engine.stop());
    log('the engine syncs its world');
    await engine.start({ changeEvery: options.changeEvery });
    const catalogConfig: JsonObject = options.interval
      ? { processingInterval: options.interval }
      : {};
    const catalog = new CatalogProcess({
      connection: postgres.connection(),
      name: DATABASE,
      catalog: catalogConfig,
      terrasift: {
        baseUrl: engine.url,
        tenants: { acme: { apiKey: engine.key! } },
        // More often than by default: what a comparison does to a change belongs to what is measured.
        catalog: { compareEvery: { minutes: 2 } },
      },
    });
    cleanups.push(() => catalog.kill());
    await catalog.start();
    const client = await postgres.client(catalogDatabase(DATABASE));
    cleanups.push(() => client.end());
    const measurement = new Measurement(
      options,
      engine,
      new Catalog(catalog, client),
    );
    const found = await measurement.run();
    process.stdout.write(`${JSON.stringify(found)}\n`);
    const isMet =
      found.provider_max_ms <= PROVIDER_MS_MAX &&
      found.visible_p95_ms <= VISIBLE_P95_MS_MAX;
    if (found.errors > 0 || (options.interval && !isMet)) process.exitCode = 1;
  } finally {
    for (const cleanup of cleanups.reverse()) await cleanup();
  }
}

function log(what: string): void {
  process.stderr.write(`${new Date().toISOString()} ${what}\n`);
}

main().then(
  () => process.exit(),
  error => {
    process.stderr.write(`${error.stack}\n`);
    process.exit(1);
  },
);
