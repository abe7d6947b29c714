// Writes the types of Terrasift's API from its OpenAPI document, `schemas/generated/openapi.json`; with `--check` it only
// fails if they are stale.

import { readFile, writeFile } from 'node:fs/promises';
import openapiTS, { astToString } from 'openapi-typescript';

const document = new URL(
  '../../../../schemas/generated/openapi.json',
  import.meta.url,
);
const target = new URL('../src/openapi.generated.ts', import.meta.url);
const header = `// @generated from schemas/generated/openapi.json by \`yarn generate\`. Do not edit.
/* eslint-disable */
`;

const api = JSON.parse(await readFile(document, 'utf8'));
const types = astToString(await openapiTS(api, { alphabetize: true }));
// TSDoc, as the API report reads it: a release tag on what is exported, no tags of JSDoc, no braces.
const documented = types
  .replace(/^export /gm, '/** @public */\nexport ')
  .replace(/\/\*\*[^]*?\*\//g, comment =>
    comment.replace(/@(?!public)\w+ ?/g, '').replace(/[{}]/g, '\\$&'),
  );
const wanted = header + documented;

if (process.argv.includes('--check')) {
  const found = await readFile(target, 'utf8').catch(() => '');
  if (found !== wanted) {
    throw new Error(
      'openapi.generated.ts is stale: run `yarn generate` in backstage/, and commit what it writes',
    );
  }
} else {
  await writeFile(target, wanted);
}
