// Follows the install section of the README, word by word, in an app that create-app has just made, over a running demo;
// then asks the catalog and the cards' backend, and looks at a card in Chromium.
//   node fresh.mjs TARGET [--again]     the folder of what is built; the app stays in TARGET/backstage-fresh to look at,
//                                       and is asked once more with --again
// Ends with a line of JSON; the status is 1 if anything is not as it should be.
import { execFileSync, spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { lookAt } from './look.mjs';

/** The version of create-app that makes an app of the release in backstage.json. */
const CREATE_APP = '0.9.2';
/** Long enough for a busy machine. */
const WAIT_MS = 240_000;
/** What the app that create-app makes signs everybody in as. */
const GUEST = 'user:development/guest';
const INSPECTOR = 'fresh-app-inspector-0';

const here = dirname(fileURLToPath(import.meta.url));
const repository = resolve(here, '../..');
const target = resolve(process.argv[2]);
const folder = join(target, 'backstage-fresh');
const app = join(folder, 'app');
const running = [];

/** The fenced blocks of the README's install section, in order. */
function section() {
  const readme = readFileSync(join(repository, 'README.md'), 'utf8');
  const [, text] = readme.split(/<!-- \/?backstage-install -->/);
  return [...text.matchAll(/^```([a-z]+)\n([^]*?)^```$/gm)].map(
    ([, language, code]) => ({ language, code }),
  );
}

function say(what) {
  process.stderr.write(`— ${what}\n`);
}

/** Runs a command to its end; what it said is shown if it fails. */
function run(command, args, cwd, env = {}) {
  say([command, ...args].join(' ').slice(0, 200));
  try {
    return execFileSync(command, args, {
      cwd,
      env: { ...process.env, ...env },
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      maxBuffer: 64 * 1024 * 1024,
    });
  } catch (error) {
    process.stderr.write(`${error.stdout}\n${error.stderr}\n`);
    throw new Error(`${command} ${args[0]} failed`);
  }
}

/** Starts what runs beside us, in a process group of its own so that all of it can be ended. */
function start(name, command, args, cwd, env = {}) {
  const log = join(folder, `${name}.log`);
  const out = openSync(log, 'w');
  const child = spawn(command, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', out, out],
    detached: true,
  });
  const ended = new Promise(done => child.once('exit', done));
  running.push({ child, ended });
  return { child, log };
}

async function stop() {
  for (const { child, ended } of running.splice(0).reverse()) {
    // The group outlives its first process: yarn goes at once, the backend takes a moment.
    signal(child.pid, 'SIGINT');
    await Promise.race([ended, delay(10_000)]);
    const deadline = Date.now() + 30_000;
    while (signal(child.pid, 0) && Date.now() < deadline) await delay(100);
    signal(child.pid, 'SIGKILL');
  }
}

function signal(group, name) {
  try {
    return process.kill(-group, name);
  } catch {
    return false;
  }
}

async function until(what, holds, alive) {
  const deadline = Date.now() + WAIT_MS;
  for (;;) {
    const found = await holds();
    if (found) return found;
    if (alive && alive.child.exitCode !== null) {
      process.stderr.write(readFileSync(alive.log, 'utf8').slice(-8000));
      throw new Error(`what was started has ended: ${what}`);
    }
    if (Date.now() > deadline) throw new Error(`waited in vain: ${what}`);
    await delay(200);
  }
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise(done => server.once('listening', done));
  const { port } = server.address();
  await new Promise(done => server.close(done));
  return port;
}

/**
 * An app as create-app makes it. It brings a lockfile of its release where it can reach GitHub; with or without one, the
 * release's versions are what is meant, and not what came after.
 */
function createApp() {
  // Node's own way takes minutes for an app's hundred thousand files.
  execFileSync('rm', ['-rf', folder]);
  mkdirSync(join(folder, 'terrasift'), { recursive: true });
  // The clone beside the app, with its target folder wherever that is.
  symlinkSync(target, join(folder, 'terrasift', 'target'));
  const create = [`@backstage/create-app@${CREATE_APP}`, '--skip-install'];
  run('npx', ['--yes', ...create, '--path', app], folder, {
    BACKSTAGE_APP_NAME: 'fresh',
  });
  const release = path => readFileSync(path, 'utf8').match(/"([\d.]+)"/)[1];
  const wanted = release(join(repository, 'backstage/backstage.json'));
  if (release(join(app, 'backstage.json')) !== wanted) {
    throw new Error(`create-app ${CREATE_APP} does not make a ${wanted}`);
  }
  const path = join(app, 'package.json');
  const root = JSON.parse(readFileSync(path, 'utf8'));
  for (const part of ['.', 'packages/app', 'packages/backend']) {
    const { dependencies = {}, devDependencies = {} } = JSON.parse(
      readFileSync(join(app, part, 'package.json'), 'utf8'),
    );
    const all = Object.entries({ ...dependencies, ...devDependencies });
    for (const [name, range] of all) {
      if (name.startsWith('@backstage/')) {
        root.resolutions[name] = range.replace('^', '');
      }
    }
  }
  writeFileSync(path, `${JSON.stringify(root, null, 2)}\n`);
  run('yarn', ['install'], app);
}

/** Does what the section says; a person would use an editor for what is no command. */
function follow() {
  const backend = join(app, 'packages/backend/src/index.ts');
  const config = join(app, 'app-config.yaml');
  for (const { language, code } of section()) {
    if (language === 'sh') {
      const where = code.startsWith('make ') ? repository : app;
      run('bash', ['-euc', code], where, { CARGO_TARGET_DIR: target });
    } else if (language === 'ts') {
      const before = readFileSync(backend, 'utf8');
      const open =
        /backend\.add\(\s*import\('[^']*-allow-all-policy'\),?\s*\);\n/;
      if (!open.test(before)) throw new Error('there is no policy to replace');
      writeFileSync(
        backend,
        before
          .replace(open, '')
          .replace('backend.start();', () => `${code}\nbackend.start();`),
      );
    } else {
      writeFileSync(config, `${readFileSync(config, 'utf8')}\n${code}`);
    }
  }
}

/** Terrasift's demo, with a world that stands still once it was synced. */
async function startDemo() {
  const keys = join(folder, 'keys.jsonl');
  const demo = start(
    'demo',
    process.env.TERRASIFT ?? join(target, 'debug', 'terrasift'),
    [
      'demo',
      '--tenants=2',
      '--workspaces=4',
      '--change-every=86400',
      `--keys=${keys}`,
    ],
    folder,
  );
  await until('the demo writes its keys', () => existsSync(keys), demo);
  const tenants = readFileSync(keys, 'utf8').trim().split('\n').map(JSON.parse);
  for (const tenant of tenants) {
    await until(
      `${tenant.tenant} is synced`,
      async () => {
        const status = await ask(tenant.url, '/v1/status', tenant.key);
        return status.body.waiting_workspaces === 0 && status.body.head > 0;
      },
      demo,
    );
  }
  rmSync(keys);
  // As the README calls the first one; the second is granted to nobody.
  return tenants.map((tenant, at) => ({
    ...tenant,
    name: ['acme', 'borealis'][at],
  }));
}

/** The app's backend, which serves the built pages too. A second tenant, granted to nobody, and a service that sees all. */
async function startBackend([acme, borealis]) {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  writeFileSync(
    join(app, 'app-config.local.yaml'),
    `app: { baseUrl: '${url}' }
backend:
  baseUrl: ${url}
  listen: { host: 127.0.0.1, port: ${port} }
  auth:
    externalAccess:
      - type: static
        options: { token: ${INSPECTOR}, subject: inspector }
terrasift:
  tenants:
    borealis: { apiKey: '\${TERRASIFT_KEY_BOREALIS}' }
`,
  );
  const backend = start(
    'backend',
    'yarn',
    ['workspace', 'backend', 'start'],
    app,
    {
      TERRASIFT_URL: acme.url,
      TERRASIFT_KEY_ACME: acme.key,
      TERRASIFT_KEY_BOREALIS: borealis.key,
    },
  );
  await until(
    'the backend has started',
    () => readFileSync(backend.log).includes('Plugin initialization complete'),
    backend,
  );
  return url;
}

async function ask(url, path, token, method = 'GET') {
  const headers = token ? { Authorization: `Bearer ${token}` } : {};
  const response = await fetch(`${url}${path}`, { method, headers });
  const text = await response.text();
  return { status: response.status, body: text ? JSON.parse(text) : {} };
}

/** How many entities of each tenant somebody sees in the catalog. */
async function seen(url, token) {
  const facet = 'metadata.annotations.terrasift.io/tenant';
  const path = `/api/catalog/entity-facets?facet=${facet}`;
  const { body } = await ask(url, path, token);
  const counts = body.facets[facet].map(({ value, count }) => [value, count]);
  return Object.fromEntries(counts);
}

/** Waits until the catalog shows what the engine has of each tenant. */
async function settled(url, tenants) {
  let told;
  const counts = async () => {
    const ours = {};
    for (const { name, url: engine, key } of tenants) {
      ours[name] = (await ask(engine, '/v1/usage', key)).body.entities;
    }
    const theirs = await seen(url, INSPECTOR);
    told = JSON.stringify({ ours, theirs });
    const same = tenants.every(({ name }) => ours[name] === theirs[name]);
    return same && ours;
  };
  try {
    return await until('the catalog shows all entities', counts);
  } catch (error) {
    throw new Error(`${error.message}: ${told}`);
  }
}

async function check(url, entities) {
  const failures = [];
  const expect = (what, found, wanted) => {
    const [is, ought] = [found, wanted].map(it => JSON.stringify(it));
    if (is !== ought) failures.push(`${what}: ${is}, not ${ought}`);
  };
  const signIn = await ask(url, '/api/auth/guest/refresh', undefined, 'POST');
  const { token, identity } = signIn.body.backstageIdentity;
  expect('who the guest is', identity.userEntityRef, GUEST);
  expect('what the guest sees', await seen(url, token), {
    acme: entities.acme,
  });
  const answer = async path => {
    const { status } = await ask(url, `/api/terrasift/tenants${path}`, token);
    return status;
  };
  for (const path of ['', '/acme/status', '/acme/workspaces', '/acme/audit']) {
    expect(`…${path} of the cards`, await answer(path), 200);
  }
  expect('usage, for operators', await answer('/acme/usage'), 403);
  expect('a tenant of others', await answer('/borealis/status'), 404);
  const nobody = await ask(url, '/api/terrasift/tenants');
  expect('without a sign-in', nobody.status, 401);
  return failures;
}

const began = Date.now();
const failures = [];
let entities = {};
try {
  if (!process.argv.includes('--again')) {
    createApp();
    follow();
    run('yarn', ['tsc'], app);
    run('yarn', ['workspace', 'app', 'build'], app);
  }
  // Not before: until here nothing runs beside us, and a handler would wait for the command that is waited for.
  for (const name of ['SIGINT', 'SIGTERM']) {
    process.once(name, () => stop().then(() => process.exit(130)));
  }
  const tenants = await startDemo();
  const url = await startBackend(tenants);
  entities = await settled(url, tenants);
  failures.push(...(await check(url, entities)));
  const workspaces = await ask(
    url,
    '/api/catalog/entities?filter=kind=terraformworkspace',
    INSPECTOR,
  );
  failures.push(...(await lookAt(url, workspaces.body)));
} catch (error) {
  failures.push(error.stack);
} finally {
  await stop();
}
for (const line of failures) process.stderr.write(`${line}\n`);
const summary = JSON.stringify({
  entities,
  failures: failures.length,
  seconds: Math.round((Date.now() - began) / 1000),
});
process.stdout.write(`${summary}\n`);
process.exitCode = failures.length ? 1 : 0;
