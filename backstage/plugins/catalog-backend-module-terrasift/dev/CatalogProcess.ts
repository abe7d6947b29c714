import { ChildProcess, spawn } from 'child_process';
import { once } from 'events';
import { resolve } from 'path';
import { createInterface } from 'readline';
import { startCatalog } from '../src/__testUtils__/backend';

const TRANSFORM = require.resolve('@backstage/cli/config/nodeTransform.cjs');

/** What the process says when it is up, followed by its address. */
export const LISTENS = 'the catalog listens on ';

/** A real catalog with our module, in a process of its own. */
export class CatalogProcess {
  #child: ChildProcess | undefined;
  #url: string | undefined;

  constructor(private readonly options: Parameters<typeof startCatalog>[0]) {}

  /** Address of the catalog's API; a new one after each start. */
  get url(): string {
    return this.#url!;
  }

  async start(): Promise<void> {
    const child = spawn(
      process.execPath,
      ['--require', TRANSFORM, resolve(__dirname, 'catalog.ts')],
      {
        env: { ...process.env, CATALOG: JSON.stringify(this.options) },
        stdio: ['pipe', 'pipe', 'inherit'],
      },
    );
    this.#child = child;
    const lines = createInterface({ input: child.stdout! });
    const ended = new Promise<never>((_, reject) =>
      child.once('exit', code =>
        reject(new Error(`the catalog ended with ${code}`)),
      ),
    );
    const ready = (async () => {
      for await (const line of lines) {
        if (line.startsWith(LISTENS)) return line.slice(LISTENS.length);
      }
      return undefined;
    })();
    // Whoever kills it while it starts does not want to hear of it.
    ended.catch(() => {});
    this.#url = await Promise.race([ready, ended]);
    // What it says from now on is for nobody.
    child.stdout!.resume();
  }

  /** Kills it as `kill -9` does. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }
}
