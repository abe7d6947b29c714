import { readdirSync, readFileSync } from 'fs';
import { resolve } from 'path';
import { Entity } from '@backstage/catalog-model';
import {
  isTerraformWorkspaceEntity,
  terraformWorkspaceEntityV1alpha1Validator as validator,
} from './TerraformWorkspaceEntity';

// What the engine's own tests hold it to emit.
const SNAPSHOTS = resolve(
  __dirname,
  '../../../../engine/src/extract/tests/snapshots',
);

function golden(name: string): Entity {
  const file = readdirSync(SNAPSHOTS).find(it => it.endsWith(`${name}.snap`));
  const text = readFileSync(resolve(SNAPSHOTS, file!), 'utf8');
  return JSON.parse(text.slice(text.indexOf('\n{')));
}

describe('TerraformWorkspaceEntity', () => {
  it.each(['workspace', 'stateless'])(
    'takes what the engine emits: %s',
    async name => {
      expect(isTerraformWorkspaceEntity(golden(name))).toBe(true);
      await expect(validator.check(golden(name))).resolves.toBe(true);
    },
  );

  it('leaves other kinds alone', async () => {
    expect(isTerraformWorkspaceEntity(golden('database'))).toBe(false);
    await expect(validator.check(golden('database'))).resolves.toBe(false);
  });

  it.each([
    ['no owner', { owner: undefined }],
    ['an owner that is no text', { owner: 7 }],
    ['a lock that is no truth', { locked: 'yes' }],
    ['a variable with its value', { variables: [{ key: 'k', value: 'v' }] }],
  ])('refuses %s', async (_, broken) => {
    const entity = golden('workspace');
    // As JSON, in which what is undefined is absent.
    entity.spec = JSON.parse(JSON.stringify({ ...entity.spec, ...broken }));
    await expect(validator.check(entity)).rejects.toThrow(/spec/);
  });

  it('takes members of engines that are newer', async () => {
    const entity = golden('workspace');
    entity.spec!.weather = 'fair';
    await expect(validator.check(entity)).resolves.toBe(true);
  });
});
