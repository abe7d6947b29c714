import { FeedChange } from './FeedWatch';

/** Where a change is looked for: in what the provider gave to the catalog, and in what the catalog's API shows. */
export const PLACES = ['provider', 'visible'] as const;
export type Place = (typeof PLACES)[number];

/** Times each change from the feed to both places. */
export class Stopwatch {
  readonly #waiting = {
    provider: new Map<string, FeedChange>(),
    visible: new Map<string, FeedChange>(),
  };
  readonly #took: Record<Place, number[]> = { provider: [], visible: [] };
  readonly #begun = new Set<number>();
  #entities = 0;

  /**
   * A change stands in the feed, and is timed if that is wanted. One of an entity whose last change has not arrived
   * takes that one's place, and its time: the catalog need not show each state in between.
   */
  changed(change: FeedChange, isTimed: boolean): void {
    if (isTimed) {
      this.#entities += 1;
      this.#begun.add(change.notBefore);
    }
    for (const place of PLACES) {
      const waiting = this.#waiting[place];
      const earlier = waiting.get(change.ref);
      if (!earlier && !isTimed) continue;
      const notBefore = earlier?.notBefore ?? change.notBefore;
      waiting.set(change.ref, { ...change, notBefore });
    }
  }

  /** Changes of the world, each of which changed some entities. */
  get changes(): number {
    return this.#begun.size;
  }

  /** Entities that they changed. */
  get entities(): number {
    return this.#entities;
  }

  /** Refs whose change has not arrived at a place. */
  waiting(place: Place): string[] {
    return [...this.#waiting[place].keys()];
  }

  /** A place has entities as they are told here, without a digest where it has none; it answered at `now`. */
  seen(
    place: Place,
    found: Map<string, string | undefined>,
    now: number = performance.now(),
  ): void {
    const waiting = this.#waiting[place];
    for (const [ref, digest] of found) {
      const change = waiting.get(ref);
      if (!change || change.digest !== digest) continue;
      waiting.delete(ref);
      this.#took[place].push(now - change.notBefore);
    }
  }

  /** A percentile of the milliseconds that changes took, by nearest rank. */
  percentileMs(place: Place, percent: number): number {
    const sorted = [...this.#took[place]].sort((one, other) => one - other);
    const rank = Math.ceil((percent / 100) * sorted.length);
    return Math.round(sorted[Math.max(rank, 1) - 1] ?? NaN);
  }
}
