import { isDeepStrictEqual } from 'util';
import { TerrasiftSchema } from '@terrasift/backstage-plugin-terrasift-common';
import { digestOf, RESENT_AT_ANNOTATION } from '../../src/feed/entities';
import { CatalogEntity } from './CatalogDatabase';

const OURS = [
  'terrasift.io/digest',
  'terrasift.io/tenant',
  RESENT_AT_ANNOTATION,
];

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

/** What the catalog was not given of these, an entity a line. */
export function notGiven(
  engine: Map<string, TerrasiftSchema<'Entity'>>,
  catalog: CatalogEntity[],
): string[] {
  const given = new Map(catalog.map(row => [row.entity_ref, row]));
  return [...engine].flatMap(([ref, entity]) => {
    const row = given.get(ref);
    return row && isGiven(row, entity) ? [] : [`${ref} was not given`];
  });
}

function isGiven(
  row: CatalogEntity,
  entity: TerrasiftSchema<'Entity'>,
): boolean {
  const given = JSON.parse(row.unprocessed_entity);
  for (const name of OURS) delete given.metadata.annotations[name];
  return isDeepStrictEqual(given, entity);
}

function difference(
  row: CatalogEntity | undefined,
  entity: TerrasiftSchema<'Entity'> | undefined,
): string | undefined {
  if (!row) return 'is missing';
  if (!entity) return 'is too many';
  if (!isGiven(row, entity)) return 'is another';
  if (!row.final_entity) return 'is not shown';
  const shown = JSON.parse(row.final_entity).metadata.annotations;
  return shown['terrasift.io/digest'] === digestOf(entity as any)
    ? undefined
    : 'is shown as it was';
}
