// The catalog as a process of its own, so that it can be killed. What it is to be is told by a line, when it is wanted.
import { createInterface } from 'readline';
import { startCatalog } from '../src/__testUtils__/backend';
import { LISTENS } from './CatalogProcess';

async function start(options: string) {
  const { url } = await startCatalog(JSON.parse(options));
  process.stdout.write(`${LISTENS}${url}\n`);
}

createInterface({ input: process.stdin })
  .once('line', options => {
    start(options).catch(error => {
      process.stderr.write(`${error.stack}\n`);
      process.exit(1);
    });
  })
  // Gone with whoever started it.
  .once('close', () => process.exit(0));
