// The catalog as a process of its own, so that it can be killed.
import { startCatalog } from '../src/__testUtils__/backend';
import { LISTENS } from './CatalogProcess';

async function main() {
  const { url } = await startCatalog(JSON.parse(process.env.CATALOG!));
  process.stdout.write(`${LISTENS}${url}\n`);
  // Gone with whoever started it.
  process.stdin.on('end', () => process.exit(0)).resume();
}

main().catch(error => {
  process.stderr.write(`${error.stack}\n`);
  process.exit(1);
});
