import { Client } from 'pg';
import { until } from '@terrasift/backstage-testbed';

/** Advisory locks at which a page can be stopped inside Postgres. */
const LOCKS = { applying: 71_001, applied: 71_002 };

/** What is laid into the catalog's database to look at it and to stop it; no row of the catalog is changed by it. */
const PROBES = `
  CREATE TABLE probe_deleted (entity_ref text NOT NULL);
  CREATE FUNCTION probe_deletion() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    INSERT INTO probe_deleted VALUES (OLD.entity_ref);
    RETURN OLD;
  END $$;
  CREATE TRIGGER probe_deletion AFTER DELETE ON refresh_state
    FOR EACH ROW EXECUTE FUNCTION probe_deletion();

  CREATE FUNCTION probe_stop() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    PERFORM pg_advisory_xact_lock_shared(TG_ARGV[0]::bigint);
    RETURN NEW;
  END $$;
  CREATE TRIGGER probe_applying BEFORE UPDATE OF unprocessed_hash ON refresh_state
    FOR EACH ROW WHEN (OLD.unprocessed_hash IS DISTINCT FROM NEW.unprocessed_hash)
    EXECUTE FUNCTION probe_stop(${LOCKS.applying});
  CREATE TRIGGER probe_adding BEFORE INSERT ON refresh_state_references
    FOR EACH ROW EXECUTE FUNCTION probe_stop(${LOCKS.applying});
  CREATE TRIGGER probe_applied BEFORE UPDATE OF cursor ON terrasift_feeds
    FOR EACH ROW WHEN (OLD.cursor IS DISTINCT FROM NEW.cursor)
    EXECUTE FUNCTION probe_stop(${LOCKS.applied});
`;

export interface CatalogEntity {
  entity_ref: string;
  unprocessed_entity: string;
  final_entity: string | null;
}

/** The catalog's database, as the test looks at it. */
export class CatalogDatabase {
  constructor(private readonly client: Client) {}

  async layProbes(): Promise<void> {
    await this.client.query(PROBES);
  }

  async entities(): Promise<CatalogEntity[]> {
    const { rows } = await this.client.query(
      `SELECT entity_ref, unprocessed_entity, final_entity
       FROM refresh_state LEFT JOIN final_entities USING (entity_id, entity_ref)`,
    );
    return rows;
  }

  /** What is behind it was applied, so the provider says. */
  async cursor(): Promise<string | undefined> {
    const { rows } = await this.client.query(
      'SELECT cursor FROM terrasift_feeds',
    );
    return rows[0]?.cursor ?? undefined;
  }

  async deleted(): Promise<string[]> {
    const { rows } = await this.client.query(
      'SELECT DISTINCT entity_ref FROM probe_deleted',
    );
    return rows.map(row => row.entity_ref);
  }

  /**
   * Stops the next page before its first row is written, or between its mutation and its cursor, and does something
   * while it stands there. What was stopped ends with its connection: it does not go on.
   */
  async stopped(
    step: keyof typeof LOCKS,
    meanwhile: () => Promise<void>,
    patienceMs: number,
  ): Promise<void> {
    const lock = LOCKS[step];
    await this.client.query('SELECT pg_advisory_lock($1)', [lock]);
    try {
      const waiting =
        "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objid = $1 AND NOT granted";
      const isStopped = async () => {
        const { rowCount } = await this.client.query(waiting, [lock]);
        return rowCount! > 0;
      };
      await until(`a page is ${step}`, isStopped, patienceMs);
      await meanwhile();
      await this.client.query(
        `SELECT pg_terminate_backend(pid) FROM (${waiting}) AS waiting`,
        [lock],
      );
      await until('what was stopped is gone', async () => !(await isStopped()));
    } finally {
      await this.client.query('SELECT pg_advisory_unlock($1)', [lock]);
    }
  }

  async close(): Promise<void> {
    await this.client.end();
  }
}
