import { isDeepStrictEqual } from 'util';
import { TerrasiftSchema } from '@terrasift/backstage-plugin-terrasift-common';
import { digestOf } from '../../src/feed/entities';
import { CatalogEntity } from './CatalogDatabase';

const OURS = ['terrasift.io/digest', 'terrasift.io/tenant'];

/** By what catalog and engine differ, an entity a line: in what the catalog was given, or in what it shows. */
export function differences(
  engine: Map<string, TerrasiftSchema<'Entity'>>,
  catalog: CatalogEntity[],
): string[] {
  const given = new Map(catalog.map(row => [row.entity_ref, row]));
  const refs = new Set([...engine.keys(), ...given.keys()]);
  return [...refs].flatMap(ref => {
    const what = difference(given.get(ref), engine.get(ref));
    return what ? [`${ref} ${what}`] : [];
  });
}

function difference(
  row: CatalogEntity | undefined,
  entity: TerrasiftSchema<'Entity'> | undefined,
): string | undefined {
  if (!row) return 'is missing';
  if (!entity) return 'is too many';
  const given = JSON.parse(row.unprocessed_entity);
  for (const name of OURS) delete given.metadata.annotations[name];
  if (!isDeepStrictEqual(given, entity)) return 'is another';
  if (!row.final_entity) return 'is not shown';
  const shown = JSON.parse(row.final_entity).metadata.annotations;
  return shown['terrasift.io/digest'] === digestOf(entity as any)
    ? undefined
    : 'is shown as it was';
}
