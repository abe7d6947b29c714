import { randomInt } from 'crypto';
import { SchedulerServiceTaskRunner } from '@backstage/backend-plugin-api';
import {
  EntityProvider,
  EntityProviderConnection,
} from '@backstage/plugin-catalog-node';
import { TenantOptions } from '../config';
import { backoffMs } from '../feed/backoff';
import { FeedFailure } from '../feed/failure';
import { FeedClient } from '../feed/FeedClient';
import { FeedContext, FeedFollower } from '../feed/FeedFollower';
import { LeaseLost } from '../feed/FeedStore';
import { rest } from './rest';

/** Keeps the catalog in step with one tenant of Terrasift. */
export class TerrasiftEntityProvider implements EntityProvider {
  #failures = 0;
  #notBefore = 0;

  constructor(
    private readonly tenant: TenantOptions,
    private readonly taskRunner: SchedulerServiceTaskRunner,
    private readonly context: FeedContext,
  ) {}

  /** By the id in the configuration alone: the catalog deletes what belongs to a provider whose name it no longer knows. */
  getProviderName(): string {
    return `terrasift:${this.tenant.id}`;
  }

  async connect(connection: EntityProviderConnection): Promise<void> {
    const { tenant } = this;
    if (!tenant.enabled) {
      // Connected all the same, so that what it has stays.
      this.context.logger.info(
        `${tenant.id}: not enabled: its entities stay as they are`,
      );
      return;
    }
    const follower = new FeedFollower(
      tenant.id,
      this.getProviderName(),
      new FeedClient(tenant),
      connection,
      this.context,
    );
    await this.taskRunner.run({
      id: `terrasift-follow-${tenant.id}`,
      fn: signal => this.#run(follower, signal),
    });
  }

  /** One run of the task: as long as nothing fails. What fails is told, and thrown on to the scheduler. */
  async #run(follower: FeedFollower, signal: AbortSignal): Promise<void> {
    await rest(this.#notBefore - Date.now(), signal);
    if (signal.aborted) return;
    const { logger, metrics } = this.context;
    const tenant = this.tenant.id;
    try {
      await this.#holdingLease(follower, signal);
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof LeaseLost) {
        logger.warn(`${tenant}: ${error.message}; a comparison is ordered`);
        await this.context.store.suspect(tenant);
        return;
      }
      this.#failures += 1;
      const failure = error instanceof FeedFailure ? error : undefined;
      const delayMs = backoffMs(
        failure?.kind ?? 'catalog',
        this.#failures,
        randomInt(1_000_000) / 1_000_000,
        failure?.retryAfterMs,
      );
      this.#notBefore = Date.now() + delayMs;
      metrics.failures.add(1, { tenant, kind: failure?.kind ?? 'catalog' });
      logger.warn(
        `${tenant}: the feed cannot be followed: ${error}; its entities stay, next try in ${Math.ceil(
          delayMs,
        )} ms`,
      );
      throw error;
    }
  }

  async #holdingLease(
    follower: FeedFollower,
    signal: AbortSignal,
  ): Promise<void> {
    const { store, options } = this.context;
    const tenant = this.tenant.id;
    const state = await store.acquire(tenant, options.leaseMs);
    if (!state) return;
    const ended = new AbortController();
    let lost: unknown;
    let suspected = false;
    const heartbeat = (async () => {
      while (!ended.signal.aborted) {
        await rest(options.leaseMs / 3, ended.signal);
        if (ended.signal.aborted) return;
        suspected = await store.renew(tenant, options.leaseMs);
      }
    })().catch(error => {
      lost = error;
      ended.abort();
    });
    try {
      await follower.follow(
        state,
        AbortSignal.any([signal, ended.signal]),
        () => {
          const was = suspected;
          suspected = false;
          return was;
        },
        () => {
          this.#failures = 0;
        },
      );
    } catch (error) {
      throw lost ?? error;
    } finally {
      ended.abort();
      await heartbeat;
      await store.release(tenant).catch(() => {
        // It ends by itself.
      });
    }
    if (lost) throw lost;
  }
}
