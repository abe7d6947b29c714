import { FORMAT } from './entities';

/** Where a tenant's provider stands: what is kept across restarts. */
export interface FeedState {
  /** Everything behind it was applied to the catalog. Without one, nothing was. */
  cursor?: string;
  /** Version of what was made of the entities. */
  format: number;
  /** Entities of the feed at the last comparison that was accepted. */
  baseline?: number;
  /** Upserts since reading began without a cursor. */
  counted: number;
  /** Removals that were applied since the last comparison. */
  removed: number;
  /** Removals that were kept back since then. */
  withheld: number;
  /** When to compare next, in milliseconds since 1970. */
  compareAt?: number;
}

/** Of a tenant that was never followed. */
export function initialState(): FeedState {
  return { format: FORMAT, counted: 0, removed: 0, withheld: 0 };
}

/**
 * Begins reading anew: the server forgot the cursor, or entities are made in another way since. What the catalog has
 * stays; what was removed meanwhile is found by a comparison.
 */
export function fromTheBeginning(state: FeedState): FeedState {
  return {
    ...state,
    cursor: undefined,
    format: FORMAT,
    counted: 0,
    compareAt: undefined,
  };
}
