import { TerrasiftSchema } from '@terrasift/backstage-plugin-terrasift-common';
import {
  afterComparison,
  Comparison,
  isBelievable,
  isClean,
  pauseMs,
} from './comparison';
import { Emitted, fromFeed, nudged } from './entities';
import { FeedClient } from './FeedClient';
import type { FeedContext } from './FeedFollower';
import { PagePlan } from './page';
import { FeedState } from './state';

/** Refs that are asked for at once, and removed together. */
const CONFIRM_AT_ONCE = 8;
const REMOVE_AT_ONCE = 200;
/** Entities that one comparison does more for than to send them again: each takes a turn of the catalog. */
const STUCK_MAX = 500;

type Apply = (upserts: Emitted[], removals: string[]) => Promise<void>;

/** A comparison in steps as long as a page, so that changes are applied in between. */
export class Comparing {
  readonly #comparison: Comparison;
  #stuck = 0;
  #phase: 'listing' | 'snapshot' | 'extras' = 'listing';
  #cursor: string | undefined;
  #extras: string[] | undefined;
  /** Extras that the feed has after all: its snapshot was not whole. */
  #unconfirmed = 0;

  private constructor(
    given: string[],
    private readonly tenant: string,
    private readonly client: FeedClient,
    private readonly apply: Apply,
    /** How many comparisons in a row found differences before this one. */
    private readonly round: number,
    private readonly context: FeedContext,
  ) {
    this.#comparison = new Comparison(given);
  }

  static async begin(
    tenant: string,
    client: FeedClient,
    apply: Apply,
    round: number,
    context: FeedContext,
  ): Promise<Comparing> {
    await context.store.clearSuspicion(tenant);
    const given = await context.store.given(tenant);
    return new Comparing(given, tenant, client, apply, round, context);
  }

  /** Whether there was anything to mend. */
  get clean(): boolean {
    return isClean(this.#comparison.differences);
  }

  /** Takes in a page of changes that was applied meanwhile. */
  changed(plan: PagePlan): void {
    this.#comparison.changed(plan);
  }

  /** One step; at the end, where the provider stands. Has to be called with the end of the feed reached. */
  async step(
    state: FeedState,
    signal: AbortSignal,
  ): Promise<FeedState | undefined> {
    switch (this.#phase) {
      case 'listing':
        return this.#list();
      case 'snapshot':
        return this.#snapshot(signal);
      default:
        return this.#removeExtras(state, signal);
    }
  }

  async #list(): Promise<undefined> {
    const page = await this.context.view.list(this.tenant, this.#cursor);
    this.#comparison.list(page.entities);
    this.#cursor = page.cursor;
    if (!page.cursor) this.#phase = 'snapshot';
  }

  async #snapshot(signal: AbortSignal): Promise<undefined> {
    const page = await this.client.snapshot(
      { cursor: this.#cursor, limit: this.context.options.pageSize },
      signal,
    );
    const emitted = page.changes
      .map(change => change.entity as TerrasiftSchema<'Entity'> | undefined)
      .map(entity => entity && fromFeed(this.tenant, entity))
      .filter((it): it is Emitted => it !== undefined);
    await this.#mend(this.#comparison.snapshot(emitted));
    this.#cursor = page.next_cursor;
    if (!page.has_more) this.#phase = 'extras';
  }

  /**
   * Sends again what differs. What differs in the next comparison too is processed again: the catalog has it, and died
   * when its turn came. What differs even then is made to look changed.
   */
  async #mend(different: Emitted[]): Promise<void> {
    const left = this.round > 0 ? STUCK_MAX - this.#stuck : 0;
    const stuck = different.slice(0, left);
    this.#stuck += stuck.length;
    const now = new Date();
    const again = this.round > 1 ? stuck.map(it => nudged(it, now)) : stuck;
    await this.apply([...again, ...different.slice(left)], []);
    const refs = stuck.map(it => it.entityRef);
    const failed = await this.context.view.refresh(refs);
    if (failed > 0) {
      this.context.logger.warn(
        `${this.tenant}: the catalog does not take ${failed} entities: look in its log for conflicting refs, ${refs[0]} is among those that were tried`,
      );
    }
  }

  /** All changes up to now were applied: what is in neither is not in the feed, if the feed can be believed. */
  async #removeExtras(
    state: FeedState,
    signal: AbortSignal,
  ): Promise<FeedState | undefined> {
    const comparison = this.#comparison;
    const { options, metrics } = this.context;
    if (!this.#extras) {
      this.#extras = comparison.extras();
      const believed =
        this.#extras.length === 0 ||
        isBelievable(state, comparison, options.removals);
      if (!believed) {
        metrics.withheld.record(this.#extras.length, { tenant: this.tenant });
        this.#end('withheld');
        return afterComparison(state, comparison.size, false, this.#nextAt());
      }
    }
    const batch = this.#extras.splice(0, REMOVE_AT_ONCE);
    await this.apply([], await this.#confirmed(batch, signal));
    if (this.#extras.length > 0) return undefined;
    metrics.withheld.record(0, { tenant: this.tenant });
    this.#end(this.#unconfirmed > 0 ? 'incomplete' : 'accepted');
    const size = comparison.size + this.#unconfirmed;
    return afterComparison(state, size, true, this.#nextAt());
  }

  /** Those that the server says are gone, asked one by one: a snapshot that was cut must not remove anything. */
  async #confirmed(refs: string[], signal: AbortSignal): Promise<string[]> {
    const gone: string[] = [];
    for (let at = 0; at < refs.length; at += CONFIRM_AT_ONCE) {
      const some = refs.slice(at, at + CONFIRM_AT_ONCE);
      const answers = await Promise.all(
        some.map(ref => this.client.isGone(ref, signal)),
      );
      gone.push(...some.filter((_, index) => answers[index]));
    }
    this.#unconfirmed += refs.length - gone.length;
    return gone;
  }

  #nextAt(): number {
    const { settleMs, compareEveryMs } = this.context.options;
    const ms = pauseMs(
      this.#comparison.differences,
      this.round,
      settleMs,
      compareEveryMs,
    );
    return Date.now() + ms;
  }

  #end(outcome: 'accepted' | 'incomplete' | 'withheld'): void {
    const { metrics, logger } = this.context;
    const { tenant } = this;
    const { missing, changed, extra } = this.#comparison.differences;
    metrics.comparisons.add(1, { tenant, outcome });
    metrics.differences.record(missing, { tenant, kind: 'missing' });
    metrics.differences.record(changed, { tenant, kind: 'changed' });
    metrics.differences.record(extra, { tenant, kind: 'extra' });
    const found = `${tenant}: compared ${
      this.#comparison.size
    } entities: ${missing} missing and ${changed} changed ones sent again, ${extra} too many`;
    if (outcome === 'withheld') {
      logger.error(
        `${found}, which are kept because the feed shrank by more than terrasift.catalog.removals lets go; if that is meant, raise removals.maxPercent until the next comparison is through`,
      );
    } else if (outcome === 'incomplete') {
      logger.error(
        `${found}, of which ${
          this.#unconfirmed
        } are kept because Terrasift still has them: its snapshot was not whole`,
      );
    } else if (missing + changed + extra > 0) {
      logger.info(found);
    } else {
      logger.debug(found);
    }
  }
}
