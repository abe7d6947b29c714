import { Client } from 'pg';
import { CatalogProcess } from '../CatalogProcess';

const DIGEST = 'terrasift.io/digest';
/** Refs of a request. */
export const REFS_AT_ONCE = 1000;

/** The catalog as it is looked at from outside: its API, and what stands in its database before it is shown. */
export class Catalog {
  constructor(
    private readonly process: CatalogProcess,
    private readonly client: Client,
  ) {}

  /** What the API shows of these refs: their digests, and none for what it does not show. */
  async shown(refs: string[]): Promise<Map<string, string | undefined>> {
    const asked = refs.slice(0, REFS_AT_ONCE);
    const response = await fetch(`${this.process.url}/entities/by-refs`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        entityRefs: asked,
        fields: ['metadata.annotations'],
      }),
    });
    if (!response.ok) {
      throw new Error(`the catalog answered ${response.status}`);
    }
    const { items } = (await response.json()) as { items: any[] };
    return new Map(
      asked.map((ref, at) => [ref, items[at]?.metadata.annotations[DIGEST]]),
    );
  }

  /** What the provider gave to the catalog of these refs: as {@link Catalog.shown}. */
  async given(refs: string[]): Promise<Map<string, string | undefined>> {
    const { rows } = await this.client.query(
      `SELECT entity_ref,
         unprocessed_entity::json #>> '{metadata,annotations,${DIGEST}}' AS digest
       FROM refresh_state WHERE entity_ref = ANY ($1)`,
      [refs],
    );
    const found = new Map(rows.map(row => [row.entity_ref, row.digest]));
    return new Map(refs.map(ref => [ref, found.get(ref)]));
  }

  /** Entities whose turn to be processed or to be put together has come. */
  async queued(): Promise<number> {
    const { rows } = await this.client.query(
      `SELECT (SELECT count(*) FROM refresh_state WHERE next_update_at <= now())
            + (SELECT count(*) FROM stitch_queue WHERE next_stitch_at <= now()) AS count`,
    );
    return Number(rows[0].count);
  }

  /** Whether the provider's comparison has found the catalog whole. */
  async isCompared(): Promise<boolean> {
    const { rows } = await this.client.query(
      'SELECT baseline FROM terrasift_feeds',
    );
    return Boolean(rows[0]?.baseline);
  }

  /** Entities that the catalog could not process. */
  async failed(): Promise<number> {
    const { rows } = await this.client.query(
      "SELECT count(*) FROM refresh_state WHERE errors NOT IN ('', '[]')",
    );
    return Number(rows[0].count);
  }
}
