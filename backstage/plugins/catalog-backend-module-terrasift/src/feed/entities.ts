import { createHash } from 'crypto';
import {
  Entity,
  entityEnvelopeSchemaValidator,
  stringifyEntityRef,
} from '@backstage/catalog-model';
import { JsonValue } from '@backstage/types';
import {
  TERRASIFT_DIGEST_ANNOTATION,
  TERRASIFT_TENANT_ANNOTATION,
  TerrasiftSchema,
} from '@terrasift/backstage-plugin-terrasift-common';

/**
 * Version of what {@link fromFeed} makes of an entity. When it changes, everything is read and sent anew, because the
 * catalog holds what an older version made.
 */
export const FORMAT = 1;

/** When an entity was sent again because the catalog had it and did not show it. */
export const RESENT_AT_ANNOTATION = 'terrasift.io/resent-at';

/** An entity as the catalog gets it. */
export interface Emitted {
  entityRef: string;
  digest: string;
  entity: Entity;
}

const checkEnvelope = entityEnvelopeSchemaValidator();

/**
 * Marks an entity of the feed with its tenant and its digest; undefined if the catalog would refuse it. The catalog
 * refuses the whole mutation for one malformed entity, so each is looked at before.
 */
export function fromFeed(
  tenant: string,
  entity: TerrasiftSchema<'Entity'>,
): Emitted | undefined {
  const digest = digestOf(entity as unknown as JsonValue);
  const marked = {
    ...entity,
    metadata: {
      ...entity.metadata,
      annotations: {
        ...entity.metadata?.annotations,
        [TERRASIFT_TENANT_ANNOTATION]: tenant,
        [TERRASIFT_DIGEST_ANNOTATION]: digest,
      },
    },
  } as Entity;
  try {
    checkEnvelope(marked);
  } catch {
    return undefined;
  }
  return { entityRef: stringifyEntityRef(marked), digest, entity: marked };
}

/**
 * The same entity, made to look changed. A catalog that dies right after it has processed an entity never shows it: it
 * waits for a result that differs from the one that it keeps already.
 */
export function nudged(emitted: Emitted, now: Date): Emitted {
  const entity = structuredClone(emitted.entity);
  entity.metadata.annotations![RESENT_AT_ANNOTATION] = now.toISOString();
  return { ...emitted, entity };
}

/** 128 bits of the SHA-256 over the entity with sorted keys, in hex. */
export function digestOf(value: JsonValue): string {
  const hash = createHash('sha256').update(`${FORMAT}\n`);
  return hash.update(canonical(value)).digest('hex').slice(0, 32);
}

function canonical(value: JsonValue | undefined): string {
  if (Array.isArray(value)) {
    return `[${value.map(canonical).join(',')}]`;
  }
  if (typeof value === 'object' && value !== null) {
    const members = Object.keys(value)
      .sort()
      .filter(key => value[key] !== undefined)
      .map(key => `${JSON.stringify(key)}:${canonical(value[key])}`);
    return `{${members.join(',')}}`;
  }
  return JSON.stringify(value);
}
