import { backstage } from './backend';
import { Demo, freePort, PrivatePostgres } from '@terrasift/backstage-testbed';

/**
 * The dev app: a real Terrasift with a changing world, a Postgres of its own, and a Backstage with the bundle of
 * `packages/app`, all on loopback and gone together.
 */
async function start() {
  const [demo, postgres, port] = await Promise.all([
    Demo.start({ tenants: 3, workspaces: 6, deadLetters: true }),
    PrivatePostgres.start(),
    process.env.DEV_PORT ?? freePort(),
  ]);
  const { port: postgresPort, password } = postgres.connection();
  Object.assign(process.env, {
    DEV_PORT: `${port}`,
    DEV_POSTGRES_PORT: `${postgresPort}`,
    DEV_POSTGRES_PASSWORD: password,
    TERRASIFT_URL: demo.tenants[0].url,
  });
  for (const { tenant, key } of demo.tenants) {
    const name = tenant.toUpperCase().replace(/-/g, '_');
    process.env[`TERRASIFT_KEY_${name}`] = key;
  }
  await backstage().start();
  // The one line that whoever started this waits for.
  process.stdout.write(`Backstage: http://127.0.0.1:${port}\n`);
}

start().catch(error => {
  process.stderr.write(`${error.stack}\n`);
  process.exit(1);
});
