import { LoggerService } from '@backstage/backend-plugin-api';
import { EntityProviderConnection } from '@backstage/plugin-catalog-node';
import { Limit } from 'p-limit';
import { FeedOptions } from '../config';
import { CatalogView } from './CatalogView';
import { Comparing } from './Comparing';
import { Emitted, FORMAT } from './entities';
import { FeedFailure } from './failure';
import { FeedClient } from './FeedClient';
import { FeedMetrics } from './metrics';
import { FeedStore } from './FeedStore';
import { planPage } from './page';
import { fromTheBeginning, FeedState } from './state';

/** How long the server may hold a poll. No longer than a lease: what others suspect is seen in between. */
const WAIT_SECONDS = 20;

/** What followers share with each other and with the comparisons that they make. */
export interface FeedContext {
  options: FeedOptions;
  store: FeedStore;
  view: CatalogView;
  metrics: FeedMetrics;
  logger: LoggerService;
  /** Few mutations at a time: each takes a connection of the catalog's pool. */
  applying: Limit;
}

/**
 * Follows one tenant's feed while it has the lease: a page, its mutation, its cursor, and again. Decisions are made in
 * `page.ts`, `comparison.ts` and `state.ts`; here is their order, and nothing else.
 */
export class FeedFollower {
  readonly #apply = async (upserts: Emitted[], removals: string[]) => {
    if (upserts.length + removals.length === 0) return;
    const { locationKey, tenant } = this;
    const { store } = this.context;
    await store.willGive(
      tenant,
      upserts.map(({ entityRef }) => entityRef),
    );
    await this.context.applying(async () => {
      try {
        await this.connection.applyMutation({
          type: 'delta',
          added: upserts.map(({ entity }) => ({ entity, locationKey })),
          removed: removals.map(entityRef => ({ entityRef, locationKey })),
        });
      } catch (error) {
        this.context.logger.debug('a mutation failed', error as Error);
        throw new FeedFailure('catalog', 'the catalog took no mutation');
      }
    });
    await store.hasTaken(tenant, removals);
  };

  constructor(
    private readonly tenant: string,
    private readonly locationKey: string,
    private readonly client: FeedClient,
    private readonly connection: EntityProviderConnection,
    private readonly context: FeedContext,
  ) {}

  /** Follows from where the tenant stands until aborted; ends only by a failure otherwise. */
  async follow(
    from: FeedState,
    signal: AbortSignal,
    suspected: () => boolean,
    caughtUp: () => void,
  ): Promise<void> {
    let state = from;
    if (state.format !== FORMAT) {
      this.context.logger.info(
        `${this.tenant}: entities are made in another way than before: all are sent again`,
      );
      state = await this.#moved(fromTheBeginning(state));
    }
    let comparing: Comparing | undefined;
    let round = 0;
    // Removals that were kept back and that a comparison has decided about.
    let decided = 0;
    let waitSeconds = 0;
    while (!signal.aborted) {
      const page = await this.#changes(state, waitSeconds, signal);
      const plan = planPage(
        this.tenant,
        state,
        page,
        this.context.options.removals,
      );
      this.#tell(plan);
      await this.#apply(plan.upserts, plan.removals);
      comparing?.changed(plan);
      if (plan.then.cursor !== state.cursor) {
        state = await this.#moved(plan.then);
      }
      if (page.has_more) {
        waitSeconds = 0;
        continue;
      }
      caughtUp();
      this.#record('followedAt', Date.now() / 1000);

      if (comparing) {
        const after = await comparing.step(state, signal);
        if (after) {
          state = await this.#moved(after);
          decided = state.withheld;
          round = comparing.clean ? 0 : round + 1;
          comparing = undefined;
        }
      } else {
        if (state.compareAt === undefined) {
          state = await this.#moved({
            ...state,
            compareAt: Date.now() + this.context.options.settleMs,
          });
        }
        const due = suspected() || state.withheld > decided;
        if (due || Date.now() >= state.compareAt!) {
          comparing = await Comparing.begin(
            this.tenant,
            this.client,
            this.#apply,
            round,
            this.context,
          );
        }
      }
      const left = comparing ? 0 : (state.compareAt! - Date.now()) / 1000;
      waitSeconds = Math.min(
        Math.max(Math.ceil(left), 0),
        Math.ceil(this.context.options.leaseMs / 1000),
        WAIT_SECONDS,
      );
    }
  }

  /** A page of changes; a cursor that means nothing to the server is forgotten before the failure goes on. */
  async #changes(state: FeedState, waitSeconds: number, signal: AbortSignal) {
    try {
      return await this.client.changes(
        {
          cursor: state.cursor,
          limit: this.context.options.pageSize,
          waitSeconds,
        },
        signal,
      );
    } catch (error) {
      if (error instanceof FeedFailure && error.kind === 'expired') {
        await this.#moved(fromTheBeginning(state));
      }
      throw error;
    }
  }

  async #moved(state: FeedState): Promise<FeedState> {
    await this.context.store.save(this.tenant, state);
    return state;
  }

  #tell(plan: ReturnType<typeof planPage>): void {
    const { metrics, logger } = this.context;
    const { tenant } = this;
    metrics.changes.add(plan.upserts.length, { tenant, change: 'upsert' });
    metrics.changes.add(plan.removals.length, { tenant, change: 'remove' });
    metrics.rejected.add(plan.rejected.length, { tenant });
    metrics.withheld.record(plan.then.withheld, { tenant });
    if (plan.rejected.length > 0) {
      logger.warn(
        `${tenant}: ${plan.rejected.length} entities are left out because the catalog would refuse them, the first is ${plan.rejected[0]}`,
      );
    }
    if (plan.withheld.length > 0) {
      logger.warn(
        `${tenant}: ${plan.withheld.length} removals are kept back until a comparison has confirmed them: more than terrasift.catalog.removals lets go at once`,
      );
    }
  }

  #record(gauge: 'followedAt', value: number): void {
    this.context.metrics[gauge].record(value, { tenant: this.tenant });
  }
}
