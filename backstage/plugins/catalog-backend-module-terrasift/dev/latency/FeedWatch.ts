import { setTimeout as delay } from 'timers/promises';
import { JsonValue } from '@backstage/types';
import { digestOf } from '../../src/feed/entities';
import { Engine } from '../Engine';

/** Between two looks at the end of the feed, while its changes are timed, and otherwise. */
const LOOK_MS = 20;
const IDLE_MS = 1000;

/** What the feed has of an entity since a moment. */
export interface FeedChange {
  ref: string;
  /** Of the entity; a removed one has none. */
  digest: string | undefined;
  /** The feed did not have it before this moment, by `performance.now()`. */
  notBefore: number;
}

/**
 * Looks at the engine's feed all the time, and tells what is new in it. It does not wait for the feed as the provider
 * does: what wakes the provider late must not be late here too.
 */
export class FeedWatch {
  /** Refs of what the feed has. */
  readonly live = new Set<string>();
  readonly #stopped = new AbortController();
  #cursor: string | undefined;
  #running: Promise<void> | undefined;

  constructor(
    private readonly engine: Engine,
    private readonly changed: (change: FeedChange) => void,
    private readonly isTimed: () => boolean,
  ) {}

  /** Reads what is there, and goes on looking. */
  async start(failed: (error: unknown) => void): Promise<void> {
    while ((await this.#look()).has_more);
    this.#running = this.#run().catch(failed);
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    let lookedAt = performance.now();
    while (!this.#stopped.signal.aborted) {
      const asked = performance.now();
      const page = await this.#look();
      for (const { change, entity_ref: ref, entity } of page.changes) {
        const digest =
          change === 'remove'
            ? undefined
            : digestOf(entity as unknown as JsonValue);
        this.changed({ ref, digest, notBefore: lookedAt });
      }
      lookedAt = asked;
      await delay(this.isTimed() ? LOOK_MS : IDLE_MS);
    }
  }

  async #look() {
    const page = await this.engine.page('changes', {
      ...(this.#cursor && { cursor: this.#cursor }),
    });
    for (const { change, entity_ref: ref } of page.changes) {
      if (change === 'remove') this.live.delete(ref);
      else this.live.add(ref);
    }
    this.#cursor = page.next_cursor;
    return page;
  }
}
