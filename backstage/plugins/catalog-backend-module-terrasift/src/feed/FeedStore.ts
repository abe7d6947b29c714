import { randomUUID } from 'crypto';
import {
  DatabaseService,
  resolvePackagePath,
} from '@backstage/backend-plugin-api';
import { Knex } from 'knex';
import { FeedState, initialState } from './state';

const TABLE = 'terrasift_feeds';
const ENTITIES = 'terrasift_entities';
/** Rows of a statement: databases bound their parameters. */
const ROWS_AT_ONCE = 400;

interface Row {
  tenant: string;
  cursor: string | null;
  format: number;
  baseline: number | null;
  counted: number;
  removed: number;
  withheld: number;
  /** Postgres gives big integers as text. */
  compare_at: string | number | null;
  suspect: boolean | number;
  lease_owner: string | null;
  lease_until: string | number | null;
}

interface EntityRow {
  tenant: string;
  entity_ref: string;
}

/** Thrown when another replica follows the feed in our place. */
export class LeaseLost extends Error {
  name = 'LeaseLost';

  constructor() {
    super('another replica follows the feed now');
  }
}

/**
 * Where each tenant's provider stands, in the catalog's database; and who may move it. A lease keeps replicas from
 * doing the same work twice. It is no lock around the catalog: a replica that was stopped for longer than its lease can
 * still apply an old page when it wakes. It notices when it stores the cursor, and orders a comparison.
 */
export class FeedStore {
  readonly #owner = randomUUID();

  private constructor(private readonly knex: Knex) {}

  static async create(database: DatabaseService): Promise<FeedStore> {
    const knex = await database.getClient();
    if (!database.migrations?.skip) {
      await knex.migrate.latest({
        directory: resolvePackagePath(
          '@terrasift/backstage-plugin-catalog-backend-module-terrasift',
          'migrations',
        ),
        // The catalog's own migrations are kept in the default table.
        tableName: 'terrasift_knex_migrations',
      });
    }
    return new FeedStore(knex);
  }

  /** Takes the lease if it is free, and reads where the tenant stands. */
  async acquire(
    tenant: string,
    leaseMs: number,
  ): Promise<FeedState | undefined> {
    const now = Date.now();
    await this.knex<Row>(TABLE)
      .insert({ tenant, ...columns(initialState()) })
      .onConflict('tenant')
      .ignore();
    const taken = await this.knex<Row>(TABLE)
      .where({ tenant })
      .andWhere(free =>
        free
          .whereNull('lease_owner')
          .orWhere('lease_owner', this.#owner)
          .orWhere('lease_until', '<', now),
      )
      .update({ lease_owner: this.#owner, lease_until: now + leaseMs });
    if (taken === 0) return undefined;
    const row = await this.knex<Row>(TABLE).where({ tenant }).first();
    return row && stateOf(row);
  }

  /** Keeps the lease, and says whether somebody found that a comparison is needed. */
  async renew(tenant: string, leaseMs: number): Promise<boolean> {
    await this.#update(tenant, { lease_until: Date.now() + leaseMs });
    const row = await this.knex<Row>(TABLE).where({ tenant }).first('suspect');
    return Boolean(row?.suspect);
  }

  /** Takes note that a comparison begins, so that it answers to whatever was suspected. */
  async clearSuspicion(tenant: string): Promise<void> {
    await this.#update(tenant, { suspect: false });
  }

  /** Stores where the tenant stands. */
  async save(tenant: string, state: FeedState): Promise<void> {
    await this.#update(tenant, columns(state));
  }

  /** Gives the lease back. */
  async release(tenant: string): Promise<void> {
    await this.knex<Row>(TABLE)
      .where({ tenant, lease_owner: this.#owner })
      .update({ lease_owner: null, lease_until: null });
  }

  /** Has whoever follows the feed compare soon: we may have applied what was old. */
  async suspect(tenant: string): Promise<void> {
    await this.knex<Row>(TABLE).where({ tenant }).update({ suspect: true });
  }

  /**
   * Notes what is about to be given to the catalog. The catalog shows only what it has processed, and a catalog that
   * died while it did so shows it half an hour later: what it has cannot be told from what it shows.
   */
  async willGive(tenant: string, entityRefs: string[]): Promise<void> {
    for (const some of chunks(entityRefs)) {
      await this.knex<EntityRow>(ENTITIES)
        .insert(some.map(ref => ({ tenant, entity_ref: ref })))
        .onConflict(['tenant', 'entity_ref'])
        .ignore();
    }
  }

  /** Notes what was taken from the catalog. */
  async hasTaken(tenant: string, entityRefs: string[]): Promise<void> {
    for (const some of chunks(entityRefs)) {
      await this.knex<EntityRow>(ENTITIES)
        .where({ tenant })
        .whereIn('entity_ref', some)
        .delete();
    }
  }

  /** All that was given to the catalog, and not taken from it. */
  async given(tenant: string): Promise<string[]> {
    return this.knex<EntityRow>(ENTITIES).where({ tenant }).pluck('entity_ref');
  }

  async #update(tenant: string, values: Partial<Row>): Promise<void> {
    const updated = await this.knex<Row>(TABLE)
      .where({ tenant, lease_owner: this.#owner })
      .update(values);
    if (updated === 0) throw new LeaseLost();
  }
}

function chunks(refs: string[]): string[][] {
  const count = Math.ceil(refs.length / ROWS_AT_ONCE);
  return Array.from({ length: count }, (_, at) =>
    refs.slice(at * ROWS_AT_ONCE, (at + 1) * ROWS_AT_ONCE),
  );
}

function columns(state: FeedState) {
  return {
    cursor: state.cursor ?? null,
    format: state.format,
    baseline: state.baseline ?? null,
    counted: state.counted,
    removed: state.removed,
    withheld: state.withheld,
    compare_at: state.compareAt ?? null,
  };
}

function stateOf(row: Row): FeedState {
  return {
    cursor: row.cursor ?? undefined,
    format: row.format,
    baseline: row.baseline ?? undefined,
    counted: row.counted,
    removed: row.removed,
    withheld: row.withheld,
    compareAt: row.compare_at === null ? undefined : Number(row.compare_at),
  };
}
