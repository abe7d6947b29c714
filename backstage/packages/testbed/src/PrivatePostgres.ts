import { ChildProcess, execFileSync, spawn } from 'child_process';
import { randomBytes } from 'crypto';
import { once } from 'events';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'fs';
import { createServer } from 'net';
import { tmpdir } from 'os';
import { join } from 'path';
import { Client } from 'pg';
import { until } from './until';

/** Ends the server when the pipe to whoever started it breaks, however that one ended, and removes the folder `$0`. */
const GUARD =
  '"$@" & p=$!; read -r _; kill -INT $p 2> /dev/null; wait $p; rm -rf "$0"';

/** A Postgres of our own: own folder, own port on loopback, gone with its owner. Never run as root. */
export class PrivatePostgres {
  readonly #password: string;
  readonly port: number;
  readonly #folder: string;
  readonly #guard: ChildProcess;

  private constructor(
    password: string,
    port: number,
    folder: string,
    guard: ChildProcess,
  ) {
    this.#password = password;
    this.port = port;
    this.#folder = folder;
    this.#guard = guard;
  }

  static async start(): Promise<PrivatePostgres> {
    const programs = programFolder();
    const account = accountBelowRoot();
    const folder = mkdtempSync(join(tmpdir(), 'terrasift-backstage-'));
    const password = randomBytes(16).toString('hex');
    const passwordFile = join(folder, 'password');
    writeFileSync(passwordFile, password, { mode: 0o600 });
    chmodSync(folder, 0o700);
    if (account) {
      for (const path of [folder, passwordFile]) {
        chownSync(path, account.uid, account.gid);
      }
    }
    const data = join(folder, 'data');
    execFileSync(
      join(programs, 'initdb'),
      [
        '--no-sync',
        '--username=postgres',
        '--auth=scram-sha-256',
        `--pwfile=${passwordFile}`,
        '--encoding=UTF8',
        '--locale=C',
        `--pgdata=${data}`,
      ],
      { ...account, cwd: folder, stdio: 'pipe' },
    );
    const port = await freePort();
    const settings = [
      'listen_addresses=127.0.0.1',
      `port=${port}`,
      'unix_socket_directories=',
      'max_connections=100',
      // What is lost with the machine is not missed: the folder goes too.
      'fsync=off',
    ];
    const guard = spawn(
      'sh',
      [
        '-c',
        GUARD,
        folder,
        join(programs, 'postgres'),
        '-D',
        data,
        ...settings.flatMap(setting => ['-c', setting]),
      ],
      {
        ...account,
        cwd: folder,
        stdio: ['pipe', 'ignore', 'ignore'],
        // Out of reach of Ctrl-C, which the guard would not outlive, and Backstage would close without a database.
        detached: true,
      },
    );
    const postgres = new PrivatePostgres(password, port, folder, guard);
    await until('the private Postgres answers', async () => {
      if (guard.exitCode !== null) throw new Error('Postgres ended at once');
      return postgres.query('postgres', 'SELECT 1').then(
        () => true,
        () => false,
      );
    });
    return postgres;
  }

  /** As knex and Backstage want it. */
  connection(database?: string) {
    return {
      host: '127.0.0.1',
      port: this.port,
      user: 'postgres',
      password: this.#password,
      ...(database && { database }),
    };
  }

  async client(database: string): Promise<Client> {
    const client = new Client(this.connection(database));
    // A server that ends before its clients is no fault of theirs.
    client.on('error', () => {});
    await client.connect();
    return client;
  }

  async query(database: string, sql: string): Promise<any[]> {
    const client = await this.client(database);
    try {
      return (await client.query(sql)).rows;
    } finally {
      await client.end();
    }
  }

  async stop(): Promise<void> {
    if (this.#guard.exitCode === null) {
      const ended = once(this.#guard, 'exit');
      this.#guard.stdin!.end();
      await ended;
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** A port of loopback that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

function programFolder(): string {
  const versions = '/usr/lib/postgresql';
  const installed = existsSync(versions) ? readdirSync(versions) : [];
  const folders = [
    ...(process.env.PATH ?? '').split(':'),
    ...installed
      .sort((one, other) => Number(other) - Number(one))
      .map(version => join(versions, version, 'bin')),
  ];
  const found = folders.find(folder =>
    ['initdb', 'postgres'].every(name => existsSync(join(folder, name))),
  );
  if (!found) {
    throw new Error(
      'cannot find initdb and postgres: install the package postgresql',
    );
  }
  return found;
}

/** Whom Postgres runs as when we are root, which it refuses to be. */
function accountBelowRoot(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const lines = readFileSync('/etc/passwd', 'utf8').split('\n');
  for (const name of ['postgres', 'nobody']) {
    const line = lines.find(it => it.startsWith(`${name}:`));
    if (line) {
      const [, , uid, gid] = line.split(':');
      return { uid: Number(uid), gid: Number(gid) };
    }
  }
  throw new Error('there is neither an account postgres nor nobody: add one');
}
