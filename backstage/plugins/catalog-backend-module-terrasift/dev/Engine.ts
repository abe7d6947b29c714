import { ChildProcess, spawn } from 'child_process';
import { once } from 'events';
import { chmodSync, existsSync, mkdtempSync, rmSync } from 'fs';
import { tmpdir } from 'os';
import { join } from 'path';
import { createInterface } from 'readline';
import { TerrasiftSchema } from '@terrasift/backstage-plugin-terrasift-common';
import { freePort, until } from '@terrasift/backstage-testbed';
import { SimulatedCloud } from './SimulatedCloud';

type Page = TerrasiftSchema<'ChangesPage'>;

/** Seconds between two changes of a world that is to stand still. */
export const CALM = 86_400;

/** What the engine synchronizes. */
export interface EngineWorld {
  seed: number;
  workspaces: number;
  /** Of the engine to the simulated Terraform Cloud. */
  requestsPerSecond: number;
}

/** The real `terrasift demo`, with one tenant whose states keep changing. It keeps its database when it is killed. */
export class Engine {
  readonly #folder: string;
  #child: ChildProcess | undefined;
  #key: string | undefined;
  #wasKilled = false;

  private constructor(
    private readonly program: string,
    private readonly world: EngineWorld,
    readonly port: number,
  ) {
    this.#folder = mkdtempSync(join(tmpdir(), 'terrasift-engine-'));
    // Its Postgres may run as another user than we do.
    chmodSync(this.#folder, 0o711);
  }

  static async create(program: string, world: EngineWorld): Promise<Engine> {
    return new Engine(program, world, await freePort());
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** The tenant's key; there is none while it is not up. */
  get key(): string | undefined {
    return this.#key;
  }

  /**
   * Resolves when the world was synced once. When it was killed before, its world goes on from where it was: it began
   * anew, and would repeat for as long what the engine knows already.
   */
  async start(options: { changeEvery: number }): Promise<void> {
    await this.#spawn(options.changeEvery);
    if (this.#wasKilled) await this.#bringWorldForward();
  }

  async #spawn(changeEvery: number): Promise<void> {
    const { seed, workspaces, requestsPerSecond } = this.world;
    const child = spawn(
      this.program,
      [
        'demo',
        ...['--tenants', '1', '--workspaces', String(workspaces)],
        ...['--seed', String(seed), '--data', this.#folder],
        ...['--listen', `127.0.0.1:${this.port}`],
        ...['--tenant-requests-per-second', String(requestsPerSecond)],
        ...['--change-every', String(changeEvery)],
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    this.#child = child;
    const lines = createInterface({ input: child.stdout! });
    for await (const line of lines) {
      const key = /Authorization: Bearer (\S+?)'/.exec(line)?.[1];
      if (key) {
        this.#key = key;
        // Its news is for nobody, but has to be taken from it.
        lines.on('line', () => {});
        child.stdout!.resume();
        return;
      }
    }
    throw new Error('the engine ended before it was up');
  }

  async #bringWorldForward(): Promise<void> {
    const cloud = await SimulatedCloud.of(this.#child!.pid!);
    const { workspaces } = await this.#get<TerrasiftSchema<'Workspaces'>>(
      '/v1/workspaces',
    );
    for (const { workspace, serial } of workspaces) {
      await cloud.bringTo(workspace, serial ?? 1);
    }
  }

  /** Kills it as `kill -9` does. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#key = undefined;
    this.#wasKilled = true;
    if (!child || child.exitCode !== null || child.signalCode) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
    // Its Postgres notices, and shuts down; until then nobody else can have the database.
    const lock = join(this.#folder, 'postgres', 'cluster', 'postmaster.pid');
    await until("the engine's Postgres is gone", () => !existsSync(lock));
  }

  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 50 });
  }

  async page(
    route: 'changes' | 'snapshot',
    query: Record<string, string>,
  ): Promise<Page> {
    const search = new URLSearchParams({ limit: '1000', ...query });
    return this.#get(`/v1/${route}?${search}`);
  }

  async #get<Answer>(path: string): Promise<Answer> {
    const response = await fetch(`${this.url}${path}`, {
      headers: { authorization: `Bearer ${this.#key}` },
    });
    if (!response.ok) throw new Error(`the engine answered ${response.status}`);
    return response.json() as Promise<Answer>;
  }

  /** All live entities, by ref. */
  async entities(): Promise<Map<string, TerrasiftSchema<'Entity'>>> {
    const found = new Map<string, TerrasiftSchema<'Entity'>>();
    let cursor: string | undefined;
    for (;;) {
      const page = await this.page('snapshot', cursor ? { cursor } : {});
      for (const { entity_ref: ref, entity } of page.changes) {
        found.set(ref, entity!);
      }
      if (!page.has_more) return found;
      cursor = page.next_cursor;
    }
  }
}
