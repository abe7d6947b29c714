import { parseEntityRef, stringifyEntityRef } from '@backstage/catalog-model';
import { Config } from '@backstage/config';
import { InputError } from '@backstage/errors';

/** Ids become part of annotations and permissions. */
const TENANT_ID = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/** Who sees a tenant, and who operates it, as lower-case entity references. */
export interface TenantGrants {
  id: string;
  /** See the catalog, the cards and what was redacted. */
  readers: ReadonlySet<string>;
  /** See that, and the page for operators. */
  admins: ReadonlySet<string>;
}

/** How a tenant is reached. Never logged: it holds a key. */
export interface TenantAccess {
  id: string;
  baseUrl: string;
  apiKey: string;
}

/** What somebody may do in a tenant. */
export type TenantRole = 'reader' | 'admin';

/** The tenants that are granted to somebody, each with the role; what is not in it is not theirs. */
export class Grants {
  static fromConfig(config: Config): Grants {
    return new Grants(
      tenantIds(config).map(id => {
        const where = `terrasift.tenants.${id}`;
        const tenant = config.getConfig(where);
        return {
          id,
          readers: references(tenant, 'grants', where),
          admins: references(tenant, 'admins', where),
        };
      }),
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
export function readTenantAccess(config: Config): TenantAccess[] {
  return tenantIds(config).map(id => {
    const where = `terrasift.tenants.${id}`;
    const baseUrl =
      config.getOptionalString(`${where}.baseUrl`) ??
      config.getOptionalString('terrasift.baseUrl');
    if (!baseUrl) {
      throw new InputError(
        `${where}: set baseUrl here, or terrasift.baseUrl for all`,
      );
    }
    return {
      id,
      baseUrl: checkedUrl(baseUrl, where),
      apiKey: config.getString(`${where}.apiKey`),
    };
  });
}

function tenantIds(config: Config): string[] {
  const ids = config.getOptionalConfig('terrasift.tenants')?.keys() ?? [];
  for (const id of ids) {
    if (!TENANT_ID.test(id)) {
      throw new InputError(
        `terrasift.tenants.${id}: an id is 1 to 63 of a-z, 0-9 and -, with a letter or digit at both ends`,
      );
    }
  }
  return ids;
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

function checkedUrl(text: string, where: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const web = url?.protocol === 'https:' || url?.protocol === 'http:';
  if (!web || url.username || url.password || url.search || url.hash) {
    // Without the text: it may hold a password.
    throw new InputError(
      `${where}: baseUrl has to be like https://terrasift.example.com, without user, query or fragment`,
    );
  }
  return url.href.replace(/\/$/, '');
}
