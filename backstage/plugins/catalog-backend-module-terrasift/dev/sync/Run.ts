import { setTimeout as delay } from 'timers/promises';
import { until } from '@terrasift/backstage-testbed';
import { CatalogDatabase } from './CatalogDatabase';
import { CatalogProcess } from '../CatalogProcess';
import { differences, notGiven } from './differences';
import { CALM, Engine } from '../Engine';
import { Gate } from './Gate';
import { Random } from './random';
import { Witness } from './Witness';

/** Who is killed, and at which step of a page. */
const STEPS = [
  'catalog asked',
  'catalog answering',
  'catalog answered',
  'catalog applying',
  'catalog applied',
  'catalog stored',
  'engine asked',
  'engine answering',
  'engine applied',
] as const;

/** Seconds between two changes of the world. */
export const LIVELY = 0.25;
/** Processing of some hundred entities, on a machine that others use too. */
const PATIENCE_MS = 120_000;
/** Between two comparisons at the end. */
const BETWEEN_LOOKS_MS = 250;

/** What a run found. */
export interface Found {
  entities: number;
  differences: number;
  removed_by_accident: number;
}

/** A seeded run, over what was started for it. */
export class Run {
  readonly #random: Random;
  readonly #witness: Witness;
  /** What a catalog that was killed had not been given, though its cursor says so. */
  readonly #lost: string[] = [];
  #looked = 0;

  constructor(
    seed: number,
    private readonly engine: Engine,
    private readonly gate: Gate,
    private readonly catalog: CatalogProcess,
    private readonly database: CatalogDatabase,
  ) {
    this.#random = new Random(seed);
    this.#witness = new Witness(engine);
  }

  async run(): Promise<Found> {
    this.#witness.start();
    for (const step of this.#random.shuffled(STEPS)) {
      const pages = this.gate.pages + this.#random.below(3);
      await until(
        'pages are followed',
        () => this.gate.pages >= pages,
        PATIENCE_MS,
      );
      log(step);
      await this.#kill(step);
    }
    // The world stands still, so that one can be compared with the other.
    await this.engine.kill();
    await this.engine.start({ changeEvery: CALM });
    let entities = await this.engine.entities();
    let different: string[] = [];
    const equal = async () => {
      // Each look reads all of both, and takes from what is looked at.
      await delay(BETWEEN_LOOKS_MS);
      // It may have had work left from before.
      entities = await this.engine.entities();
      different = differences(entities, await this.database.entities());
      return different.length === 0;
    };
    // What is different after that is told, not thrown.
    await until('they are equal', equal, PATIENCE_MS).catch(error =>
      log(error.message),
    );
    await this.#witness.stop();
    await this.#witness.look();
    const deleted = await this.database.deleted();
    const accidents = deleted.filter(ref => !this.#witness.removed.has(ref));
    for (const ref of different.slice(0, 5)) log(`different: ${ref}`);
    for (const ref of accidents.slice(0, 5)) log(`removed by accident: ${ref}`);
    for (const it of this.#lost.slice(0, 5)) log(`lost: ${it}`);
    log(
      `${deleted.length} entities were removed in all, ${
        this.#looked
      } were looked at behind cursors`,
    );
    if (this.#looked === 0) throw new Error('nothing stood behind a cursor');
    return {
      entities: entities.size,
      differences: different.length + this.#lost.length,
      removed_by_accident: accidents.length,
    };
  }

  async #kill(step: (typeof STEPS)[number]): Promise<void> {
    const [who, when] = step.split(' ') as ['catalog' | 'engine', string];
    const kill = () => this[who].kill();
    if (when === 'applying' || when === 'applied') {
      await this.database.stopped(when, kill, PATIENCE_MS);
    } else {
      const release = await this.gate.next(
        when as 'asked' | 'answering' | 'answered' | 'stored',
        PATIENCE_MS,
      );
      await kill();
      release();
    }
    if (who === 'catalog') {
      await this.#lookBehindCursor(step);
      await this.catalog.start();
    } else {
      const before = await this.database.cursor();
      await this.engine.start({ changeEvery: LIVELY });
      // The cursor is of the engine before: until that is noticed, nothing can be said about it.
      await until(
        'the catalog begins anew',
        async () => (await this.database.cursor()) !== before,
        PATIENCE_MS,
      );
    }
  }

  /** Everything behind the cursor has to be in the catalog, at every moment that it can be killed at. */
  async #lookBehindCursor(step: string): Promise<void> {
    const cursor = await this.database.cursor();
    if (!cursor) return;
    // In this order: what changes meanwhile stands in the second answer.
    const behind = await this.engine.entities();
    let at = cursor;
    for (let more = true; more; ) {
      const page = await this.engine.page('changes', { cursor: at });
      page.changes.forEach(change => behind.delete(change.entity_ref));
      [at, more] = [page.next_cursor, page.has_more];
    }
    const lost = notGiven(behind, await this.database.entities());
    this.#lost.push(...lost.map(it => `${it} (${step})`));
    this.#looked += behind.size;
  }
}

export function log(what: string): void {
  process.stderr.write(`${new Date().toISOString()} ${what}\n`);
}
