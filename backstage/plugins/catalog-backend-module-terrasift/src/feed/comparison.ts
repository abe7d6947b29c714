import { RemovalLimits } from '../config';
import { Emitted } from './entities';
import { PagePlan, removalsAllowed } from './page';
import { FeedState } from './state';

/** What a comparison found. */
export interface Differences {
  /** The feed has them, the catalog does not show them. */
  missing: number;
  /** The catalog shows them as they were before. */
  changed: number;
  /** The catalog has them, the feed does not. */
  extra: number;
}

/**
 * Compares all of the feed with all of the catalog, page by page, while changes keep being applied in between.
 *
 * What the catalog has is listed first, then the snapshot is read, then the changes up to now. An entity that changes while that
 * goes on is missing from the snapshot and comes as a change, so that what is in neither is not in the feed.
 */
export class Comparison {
  readonly differences: Differences = { missing: 0, changed: 0, extra: 0 };
  readonly #given: Set<string>;
  readonly #listed = new Map<string, string | undefined>();
  readonly #seen = new Set<string>();
  readonly #touched = new Set<string>();

  /** `given` is what the catalog was given, processed and shown or not. */
  constructor(given: string[]) {
    this.#given = new Set(given);
  }

  /** Notes what the catalog shows, by ref and digest. */
  list(entities: { entityRef: string; digest?: string }[]): void {
    for (const { entityRef, digest } of entities) {
      this.#listed.set(entityRef, digest);
      this.#given.add(entityRef);
    }
  }

  /** Takes in a page of the snapshot, and tells what of it has to be sent to the catalog again. */
  snapshot(page: Emitted[]): Emitted[] {
    return page.filter(({ entityRef, digest }) => {
      this.#seen.add(entityRef);
      const touched = this.#touched.has(entityRef);
      if (touched || this.#listed.get(entityRef) === digest) return false;
      const kind = this.#listed.has(entityRef) ? 'changed' : 'missing';
      this.differences[kind] += 1;
      return true;
    });
  }

  /** Takes in a page of changes that was applied meanwhile. */
  changed(plan: Pick<PagePlan, 'upserts' | 'removals' | 'withheld'>): void {
    for (const { entityRef } of plan.upserts) {
      this.#seen.add(entityRef);
      this.#touched.add(entityRef);
    }
    for (const entityRef of plan.removals) {
      this.#seen.delete(entityRef);
      this.#touched.add(entityRef);
    }
    for (const entityRef of plan.withheld) {
      this.#seen.delete(entityRef);
      this.#touched.delete(entityRef);
    }
  }

  /** What the catalog has and the feed does not. */
  extras(): string[] {
    const extras = [...this.#given].filter(
      ref => !this.#seen.has(ref) && !this.#touched.has(ref),
    );
    this.differences.extra = extras.length;
    return extras;
  }

  /** Entities that the feed was seen to have. */
  get size(): number {
    return this.#seen.size;
  }

  /** Entities that the catalog has. */
  get givenSize(): number {
    return this.#given.size;
  }
}

/** Whether a feed of this size may be believed when it lacks what the catalog has. */
export function isBelievable(
  state: FeedState,
  comparison: { size: number; givenSize: number },
  limits: RemovalLimits,
): boolean {
  const before = state.baseline ?? comparison.givenSize;
  const shrunk = before - comparison.size;
  return shrunk <= 0 || shrunk <= removalsAllowed(before, limits);
}

/** Where the provider stands after a comparison. One that is not believed changes nothing but the time of the next. */
export function afterComparison(
  state: FeedState,
  size: number,
  believed: boolean,
  compareAt: number,
): FeedState {
  if (!believed) return { ...state, compareAt };
  return { ...state, baseline: size, removed: 0, withheld: 0, compareAt };
}

/** Whether a comparison found nothing to mend. */
export function isClean({ missing, changed, extra }: Differences): boolean {
  return missing + changed + extra === 0;
}

/**
 * How long until the next comparison. One that found differences is repeated soon, to see whether they are mended: a
 * catalog that has not processed everything yet does not show what it has, nor what it has too many. Each time it takes
 * twice as long, because some entities may never be shown.
 */
export function pauseMs(
  differences: Differences,
  round: number,
  settleMs: number,
  compareEveryMs: number,
): number {
  if (isClean(differences)) return compareEveryMs;
  return Math.min(settleMs * 2 ** Math.min(round, 30), compareEveryMs);
}
