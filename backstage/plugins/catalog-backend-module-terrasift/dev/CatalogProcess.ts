import { ChildProcess, spawn } from 'child_process';
import { once } from 'events';
import { resolve } from 'path';
import { createInterface } from 'readline';
import { startCatalog } from '../src/__testUtils__/backend';

const TRANSFORM = require.resolve('@backstage/cli/config/nodeTransform.cjs');

/** What the process says when it is up, followed by its address. */
export const LISTENS = 'the catalog listens on ';

/**
 * Processes that have loaded what a catalog is made of and wait to be told which one to be: loading takes three times as
 * long as the rest of its start.
 */
export class Standby {
  readonly #waiting: ChildProcess[] = [];

  constructor(private readonly size: number) {}

  /** Has as many wait as there should be. */
  fill(): void {
    while (this.#waiting.length < this.size) this.#waiting.push(load());
  }

  take(): ChildProcess {
    return this.#waiting.shift() ?? load();
  }

  stop(): void {
    for (const child of this.#waiting.splice(0)) child.kill('SIGKILL');
  }
}

function load(): ChildProcess {
  return spawn(
    process.execPath,
    ['--require', TRANSFORM, resolve(__dirname, 'catalog.ts')],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
}

/** A real catalog with our module, in a process of its own. */
export class CatalogProcess {
  #child: ChildProcess | undefined;
  #url: string | undefined;

  constructor(
    private readonly options: Parameters<typeof startCatalog>[0],
    private readonly standby: Standby = new Standby(0),
  ) {}

  /** Address of the catalog's API; a new one after each start. */
  get url(): string {
    return this.#url!;
  }

  async start(): Promise<void> {
    const child = this.standby.take();
    this.#child = child;
    if (!isAlive(child)) throw new Error('the catalog ended while it waited');
    const ended = new Promise<never>((_, reject) =>
      child.once('exit', code =>
        reject(new Error(`the catalog ended with ${code}`)),
      ),
    );
    // Whoever kills it while it starts does not want to hear of it.
    ended.catch(() => {});
    const lines = createInterface({ input: child.stdout! });
    child.stdin!.write(`${JSON.stringify(this.options)}\n`);
    const ready = (async () => {
      for await (const line of lines) {
        if (line.startsWith(LISTENS)) return line.slice(LISTENS.length);
      }
      return undefined;
    })();
    this.#url = await Promise.race([ready, ended]);
    // What it says from now on is for nobody.
    child.stdout!.resume();
    // Not before: they would take from what is waited for.
    this.standby.fill();
  }

  /** Kills it as `kill -9` does. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (!child || !isAlive(child)) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }
}

function isAlive(child: ChildProcess): boolean {
  return child.exitCode === null && !child.signalCode;
}
