// Looks at the fresh app in Chromium: signs in as its guest by click, and waits for cards of a workspace with live data.
import { createRequire } from 'node:module';

const { chromium } = createRequire(
  new URL('../packages/app/package.json', import.meta.url),
)('playwright-core');

/** What is not as it should be. */
export async function lookAt(url, workspaces) {
  const tenant = id => it =>
    it.metadata.annotations['terrasift.io/tenant'] === id;
  const own = workspaces.find(tenant('acme'));
  const foreign = workspaces.find(tenant('borealis'));
  const failures = [];
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    // Containers give their root no user namespaces; what is looked at is our own.
    args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
  });
  try {
    const page = await browser.newPage();
    page.setDefaultTimeout(60_000);
    page.on('pageerror', error => failures.push(error.message));
    await page.goto(url);
    await page.getByRole('button', { name: 'Enter' }).click();
    await page.getByRole('link', { name: 'Catalog' }).first().waitFor();
    await page.goto(`${url}${addressOf(own)}`);
    for (const name of ['Terraform workspace', 'Sync status']) {
      await shows(page, name);
    }
    await page.goto(`${url}${addressOf(own)}/terraform`);
    for (const name of ['Resources', 'Runs']) await shows(page, name);
    await page.goto(`${url}${addressOf(foreign)}`);
    await page
      .getByText(/not found|no entity/i)
      .first()
      .waitFor();
  } finally {
    await browser.close();
  }
  return failures;
}

function addressOf({ metadata: { namespace, name } }) {
  return `/catalog/${namespace}/terraformworkspace/${name}`;
}

async function shows(page, name) {
  const region = page.getByRole('region', { name, exact: true }).first();
  await region.waitFor();
  await region.locator('dl, table, ol, ul').first().waitFor();
}
