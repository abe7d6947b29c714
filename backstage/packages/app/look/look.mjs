// Looks at the dev app in a real browser: every card with live data, in both themes, and axe over all of it.
//   node look.mjs URL [FOLDER]     screenshots go to FOLDER; without it none is kept
// Ends with a line of JSON; the status is 1 if anything is not as it should be.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const [url, folder] = process.argv.slice(2);
const axe = readFileSync(
  createRequire(import.meta.url).resolve('axe-core/axe.min.js'),
  'utf8',
);
const WAIT_MS = 60_000;
const OLGA = 'user:default/olga';
const CARDS = ['Terraform workspace', 'Sync status', 'Sanitization'];
const TAB = ['Resources', 'Sanitization', 'Sync status', 'Runs'];
const violations = [];
const failures = [];
let looked = 0;

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  // Containers give their root no user namespaces; what is looked at is our own.
  args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
});

/** A page of somebody who is signed in. */
async function pageOf(person, theme) {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 900 },
    colorScheme: theme,
  });
  await context.addInitScript(
    ([who, mode]) => {
      sessionStorage.setItem('terrasift-example-person', who);
      localStorage.setItem('theme', mode);
    },
    [person, theme],
  );
  const page = await context.newPage();
  page.setDefaultTimeout(WAIT_MS);
  page.on('pageerror', error =>
    failures.push(`${page.url()}: ${error.message}`),
  );
  return page;
}

/** Asks the backend as somebody, or tells it something. */
async function ask(person, path, body) {
  const signIn = await fetch(`${url}/api/auth/example/refresh`, {
    headers: { 'x-example-person': person },
  });
  const { backstageIdentity } = await signIn.json();
  const response = await fetch(`${url}${path}`, {
    method: body ? 'POST' : 'GET',
    headers: {
      Authorization: `Bearer ${backstageIdentity.token}`,
      'Content-Type': 'application/json',
    },
    body: body && JSON.stringify(body),
  });
  return response.json();
}

/** Waits until a card shows what it is about. */
async function card(page, name) {
  const region = page.getByRole('region', { name, exact: true }).first();
  await region.waitFor();
  await region.locator('dl, table, ol, ul').first().waitFor();
  if (await region.getByRole('alert').count()) {
    failures.push(`${name}: ${await region.innerText()}`);
  }
  looked += 1;
  return region;
}

async function check(page, where, within) {
  await page.evaluate(axe);
  const found = await page.evaluate(
    selector => globalThis.axe.run(selector),
    within,
  );
  for (const { id, nodes } of found.violations) {
    for (const node of nodes) {
      violations.push(`${where}: ${id}: ${node.html.slice(0, 200)}`);
    }
  }
}

async function keep(target, name) {
  if (folder) await target.screenshot({ path: join(folder, `${name}.png`) });
}

async function until(what, holds) {
  const deadline = Date.now() + 2 * WAIT_MS;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`waited in vain: ${what}`);
    await new Promise(resolve => setTimeout(resolve, 200));
  }
}

async function workspaces(person, tenant) {
  const filter = `kind=terraformworkspace,metadata.namespace=${tenant}`;
  return ask(person, `/api/catalog/entities?filter=${filter}`);
}

async function lookAtWorkspace(theme, entity) {
  const { namespace, name } = entity.metadata;
  const page = await pageOf(OLGA, theme);
  await page.goto(`${url}/catalog/${namespace}/terraformworkspace/${name}`);
  for (const title of CARDS) await card(page, title);
  await check(page, `workspace, ${theme}`, '[role="region"][aria-busy]');
  await keep(page, `backstage-workspace-${theme}`);
  await page.getByRole('link', { name: 'Terraform', exact: true }).click();
  for (const title of TAB) await card(page, title);
  await check(page, `tab, ${theme}`, '[role="region"][aria-busy]');
  await keep(page, `backstage-terraform-${theme}`);
  const runs = await card(page, 'Runs');
  await runs.scrollIntoViewIfNeeded();
  await keep(page, `backstage-runs-${theme}`);
  await page.context().close();
}

async function lookAtTenant(theme) {
  const page = await pageOf(OLGA, theme);
  await page.goto(`${url}/terrasift`);
  await card(page, 'Onboarding');
  await card(page, 'Usage in the last 30 days');
  // The demo spoils a workspace of each tenant.
  const letters = await card(page, 'Dead letters');
  await letters.getByText('state_refused').first().waitFor();
  await check(page, `tenant, ${theme}`, '[role="region"][aria-busy]');
  await keep(page, `backstage-tenant-${theme}`);
  await page.context().close();
}

/** Addresses that held what was redacted: the demo's users are keyed by e-mail address. */
async function lookAtRedacted(theme) {
  const page = await pageOf(OLGA, theme);
  const { resources } = await ask(
    OLGA,
    '/api/terrasift/tenants/borealis-02/resources?type=aws_cognito_user&limit=1',
  );
  const named = await workspaces(OLGA, 'borealis-02');
  const { namespace, name } = named.find(
    ({ metadata }) =>
      metadata.annotations['terraform.io/workspace-id'] ===
      resources[0].workspace,
  ).metadata;
  await page.goto(
    `${url}/catalog/${namespace}/terraformworkspace/${name}/terraform`,
  );
  const region = await card(page, 'Resources');
  await page
    .getByRole('searchbox', { name: 'Search the resources' })
    .fill('aws_cognito_user');
  await region.getByText('personal data').first().waitFor();
  if (await region.getByText('@').count()) {
    failures.push('an e-mail address is shown');
  }
  await check(page, `redacted, ${theme}`, '[role="region"][aria-busy]');
  await keep(region, `backstage-redacted-${theme}`);
  looked += 1;
  await page.context().close();
}

/** Signs in as a person does, and opens what is hers from the catalog's list. */
async function signInByClick(entity) {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 900 },
  });
  const page = await context.newPage();
  page.setDefaultTimeout(WAIT_MS);
  page.on('pageerror', error =>
    failures.push(`${page.url()}: ${error.message}`),
  );
  await page.goto(`${url}/catalog?filters[kind]=terraformworkspace`);
  await page.getByRole('button', { name: 'Alice' }).click();
  const { title } = entity.metadata;
  await page.getByRole('link', { name: title, exact: true }).first().click();
  await card(page, 'Terraform workspace');
  await context.close();
}

/** Runs the template of a new business unit to its end; what it wrote stands in its log. */
async function runTemplate() {
  const values = {
    name: 'billing-unit',
    owner: 'group:default/operators',
    organization: 'acme-01',
    workspace: 'billing "prod"',
    publish: false,
  };
  const templateRef = 'template:default/terraform-business-unit';
  const { id } = await ask(OLGA, '/api/scaffolder/v2/tasks', {
    templateRef,
    values,
  });
  const tasks = `/api/scaffolder/v2/tasks/${id}`;
  let task;
  await until('the template has run', async () => {
    task = await ask(OLGA, tasks);
    return !['open', 'processing'].includes(task.status);
  });
  const events = await ask(OLGA, `${tasks}/events`);
  const log = events.map(({ body }) => body.message ?? '').join('\n');
  const wrote = [
    'kind: System',
    'name: "billing-unit"',
    'terraform.io/organization: "acme-01"',
    'terraform.io/workspace: "billing \\"prod\\""',
    'owner: "group:default/operators"',
  ];
  const lacking = wrote.filter(line => !log.includes(line));
  if (task.status !== 'completed' || lacking.length) {
    failures.push(`the template ${task.status}, without ${lacking}: ${log}`);
  }
  looked += 1;
}

/** With the keyboard alone: to the search of the resources, and down to one row. */
async function typeInto(entity) {
  const { namespace, name } = entity.metadata;
  const page = await pageOf('user:default/alice', 'light');
  await page.goto(
    `${url}/catalog/${namespace}/terraformworkspace/${name}/terraform`,
  );
  await card(page, 'Resources');
  const search = page.getByRole('searchbox', { name: 'Search the resources' });
  for (let at = 0; at < 100; at += 1) {
    if (await search.evaluate(it => it === document.activeElement)) break;
    await page.keyboard.press('Tab');
  }
  await page.keyboard.type('no resource has this name');
  await page.getByText('No resource is like that.').waitFor();
  looked += 1;
  await page.context().close();
}

/** Alice sees her tenant and no other, whatever address she types. */
async function lookAsAlice(foreign) {
  const shown = await workspaces('user:default/alice', 'borealis-02');
  if (shown.length) failures.push('alice sees a tenant that is not hers');
  const { namespace, name } = foreign.metadata;
  const page = await pageOf('user:default/alice', 'light');
  await page.goto(`${url}/catalog/${namespace}/terraformworkspace/${name}`);
  await page
    .getByText(/not found|no entity/i)
    .first()
    .waitFor();
  looked += 1;
  await page.context().close();
}

try {
  for (const tenant of ['acme-01', 'borealis-02']) {
    // All of it: what is not there yet would be told as a missing relation.
    await until(`${tenant} is in the catalog`, async () => {
      const usage = `/api/terrasift/tenants/${tenant}/usage`;
      const { entities } = await ask(OLGA, usage);
      const facet = 'facet=metadata.namespace';
      const { facets } = await ask(OLGA, `/api/catalog/entity-facets?${facet}`);
      return facets['metadata.namespace'].some(
        ({ value, count }) => value === tenant && count === entities,
      );
    });
  }
  const largest = (await workspaces(OLGA, 'acme-01')).sort(
    (one, other) => other.spec.resourceCount - one.spec.resourceCount,
  )[0];
  const [foreign] = await workspaces(OLGA, 'borealis-02');
  for (const theme of ['light', 'dark']) {
    await lookAtWorkspace(theme, largest);
    await lookAtTenant(theme);
    await lookAtRedacted(theme);
  }
  await signInByClick(largest);
  await runTemplate();
  await typeInto(largest);
  await lookAsAlice(foreign);
} catch (error) {
  failures.push(`${error.message} ${error.cause ?? ''}`);
} finally {
  await browser.close();
}
for (const line of [...failures, ...violations]) {
  process.stderr.write(`${line}\n`);
}
const summary = JSON.stringify({
  looked,
  failures: failures.length,
  violations: violations.length,
});
process.stdout.write(`${summary}\n`);
process.exitCode = failures.length + violations.length ? 1 : 0;
