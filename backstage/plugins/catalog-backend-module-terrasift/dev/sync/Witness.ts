import { setTimeout as delay } from 'timers/promises';
import { Engine } from '../Engine';

/** Follows the engine beside the catalog, to know which entities were removed on purpose. */
export class Witness {
  /** Refs that the engine had removed at some time. */
  readonly removed = new Set<string>();
  readonly #live = new Set<string>();
  readonly #stopped = new AbortController();
  #running: Promise<void> | undefined;

  constructor(private readonly engine: Engine) {}

  start(): void {
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#running;
  }

  /** Reads all there is, and notes what vanished since. */
  async look(): Promise<void> {
    const now = await this.engine.entities();
    for (const ref of this.#live) {
      if (!now.has(ref)) this.removed.add(ref);
    }
    now.forEach((_, ref) => this.#live.add(ref));
  }

  async #run(): Promise<void> {
    let cursor: string | undefined;
    while (!this.#stopped.signal.aborted) {
      try {
        if (!cursor) await this.look();
        const page = await this.engine.page('changes', {
          wait: '1',
          ...(cursor && { cursor }),
        });
        for (const { change, entity_ref: ref } of page.changes) {
          if (change === 'remove') this.removed.add(ref);
          else this.#live.add(ref);
        }
        cursor = page.next_cursor;
      } catch {
        // The engine was killed, and its cursors with it.
        cursor = undefined;
        await delay(100);
      }
    }
  }
}
