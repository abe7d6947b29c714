import { ChildProcess, spawn } from 'child_process';
import { once } from 'events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'fs';
import { tmpdir } from 'os';
import { join, resolve } from 'path';
import { until } from './until';

/** A first sync of a small world takes seconds; on a busy machine, a minute. */
const SYNC_MS_MAX = 180_000;
/** Ends the demo when the pipe to whoever started it breaks, however that one ended, and removes the folder `$0`. */
const GUARD =
  '"$@" & p=$!; read -r _; kill -INT $p 2> /dev/null; wait $p; rm -rf "$0"';

/** A tenant of the demo, with a key that may do everything there. */
export interface DemoTenant {
  tenant: string;
  url: string;
  key: string;
}

/** A real Terrasift: `terrasift demo`, on loopback. */
export class Demo {
  private constructor(
    readonly tenants: readonly DemoTenant[],
    private readonly guard: ChildProcess,
  ) {}

  /** Resolves when all tenants were synced once. */
  static async start(options: {
    tenants: number;
    workspaces: number;
    changeEvery?: number;
    /** One workspace of each tenant becomes unreadable: a dead letter. */
    deadLetters?: boolean;
  }): Promise<Demo> {
    const folder = mkdtempSync(join(tmpdir(), 'terrasift-keys-'));
    const keys = join(folder, 'keys.jsonl');
    const guard = spawn(
      'sh',
      [
        '-c',
        GUARD,
        folder,
        program(),
        'demo',
        `--tenants=${options.tenants}`,
        `--workspaces=${options.workspaces}`,
        `--change-every=${options.changeEvery ?? 3}`,
        `--keys=${keys}`,
        ...(options.deadLetters ? ['--dead-letters'] : []),
      ],
      // Out of reach of Ctrl-C, which the guard would not outlive: it ends with the pipe, and removes the folder.
      { stdio: ['pipe', 'ignore', 'ignore'], detached: true },
    );
    const alive = () => {
      if (guard.exitCode !== null) throw new Error('the demo ended at once');
    };
    await until(
      'the demo writes its keys',
      () => {
        alive();
        return existsSync(keys);
      },
      SYNC_MS_MAX,
    );
    const tenants: DemoTenant[] = readFileSync(keys, 'utf8')
      .trim()
      .split('\n')
      .map(line => JSON.parse(line));
    rmSync(keys);
    const demo = new Demo(tenants, guard);
    for (const tenant of tenants) {
      await until(
        `${tenant.tenant} is synced`,
        async () => {
          alive();
          const status = await demo.get(tenant, '/v1/status');
          return status.waiting_workspaces === 0 && status.head > 0;
        },
        SYNC_MS_MAX,
      );
    }
    return demo;
  }

  /** Asks the API in a tenant's name. */
  async get(tenant: DemoTenant, path: string): Promise<any> {
    const response = await fetch(`${tenant.url}${path}`, {
      headers: { Authorization: `Bearer ${tenant.key}` },
    });
    if (!response.ok) throw new Error(`${path}: ${response.status}`);
    return response.json();
  }

  async stop(): Promise<void> {
    if (this.guard.exitCode === null) {
      const ended = once(this.guard, 'exit');
      this.guard.stdin!.end();
      await ended;
    }
  }
}

/** The program that was built last, or the one that TERRASIFT names. */
function program(): string {
  const target =
    // eslint-disable-next-line no-restricted-syntax -- this package is never built
    process.env.CARGO_TARGET_DIR ?? resolve(__dirname, '../../../../target');
  const candidates = [
    process.env.TERRASIFT,
    join(target, 'debug', 'terrasift'),
    join(target, 'release', 'terrasift'),
  ];
  const found = candidates.find(path => path && existsSync(path));
  if (!found) {
    throw new Error('cannot find terrasift: cargo build, or set TERRASIFT');
  }
  return found;
}
