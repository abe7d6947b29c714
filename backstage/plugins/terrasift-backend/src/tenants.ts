import { parseEntityRef, stringifyEntityRef } from '@backstage/catalog-model';
import { Config } from '@backstage/config';
import { InputError } from '@backstage/errors';
import {
  readTerrasiftAccess,
  readTerrasiftTenants,
  TerrasiftAccess,
} from '@terrasift/backstage-plugin-terrasift-common';

/** Who sees a tenant, and who operates it, as lower-case entity references. */
export interface TenantGrants {
  id: string;
  /** See the catalog, the cards and what was redacted. */
  readers: ReadonlySet<string>;
  /** See that, and the page for operators. */
  admins: ReadonlySet<string>;
}

/** What somebody may do in a tenant. */
export type TenantRole = 'reader' | 'admin';

/** The tenants that are granted to somebody, each with the role; what is not in it is not theirs. */
export class Grants {
  static fromConfig(config: Config): Grants {
    return new Grants(
      readTerrasiftTenants(config).map(({ id, where, config: tenant }) => ({
        id,
        readers: references(tenant, 'grants', where),
        admins: references(tenant, 'admins', where),
      })),
    );
  }

  private constructor(private readonly tenants: readonly TenantGrants[]) {}

  /**
   * @param claims - references of the user and of the groups that they belong to
   */
  of(claims: readonly string[]): Map<string, TenantRole> {
    const own = claims.map(claim => claim.toLowerCase());
    const granted = new Map<string, TenantRole>();
    for (const { id, readers, admins } of this.tenants) {
      if (own.some(claim => admins.has(claim))) {
        granted.set(id, 'admin');
      } else if (own.some(claim => readers.has(claim))) {
        granted.set(id, 'reader');
      }
    }
    return granted;
  }
}

/** Reads how the tenants in `terrasift.tenants` are reached. */
export function readTenantAccess(config: Config): TerrasiftAccess[] {
  return readTerrasiftTenants(config).map(tenant =>
    readTerrasiftAccess(config, tenant),
  );
}

function references(tenant: Config, key: string, where: string): Set<string> {
  const texts = tenant.getOptionalStringArray(key) ?? [];
  return new Set(
    texts.map(text => {
      const [kind, rest] = text.split(':');
      const known = ['user', 'group'].includes(kind.toLowerCase());
      if (!known || !rest) {
        throw new InputError(
          `${where}.${key}: '${text}' is no user and no group; write user:default/name or group:default/name`,
        );
      }
      return stringifyEntityRef(parseEntityRef(text));
    }),
  );
}
