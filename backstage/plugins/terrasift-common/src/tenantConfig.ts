import { Config } from '@backstage/config';
import { InputError } from '@backstage/errors';

/** Ids become part of provider names, annotations, permissions and metrics. */
const TENANT_ID = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/**
 * A tenant of `terrasift.tenants`, whose keys the backends read.
 *
 * @public
 */
export interface TerrasiftTenantConfig {
  id: string;
  /** Where it stands in the configuration, for errors. */
  where: string;
  config: Config;
}

/**
 * How a tenant's Terrasift is reached. Never logged: it holds a key.
 *
 * @public
 */
export interface TerrasiftAccess {
  id: string;
  baseUrl: string;
  apiKey: string;
}

/**
 * Reads which tenants there are.
 *
 * @public
 */
export function readTerrasiftTenants(config: Config): TerrasiftTenantConfig[] {
  const tenants = config.getOptionalConfig('terrasift.tenants');
  return (tenants?.keys() ?? []).map(id => {
    const where = `terrasift.tenants.${id}`;
    if (!TENANT_ID.test(id)) {
      throw new InputError(
        `${where}: an id is 1 to 63 of a-z, 0-9 and -, with a letter or digit at both ends`,
      );
    }
    return { id, where, config: tenants!.getConfig(id) };
  });
}

/**
 * Reads how one of them is reached. In a backend only: browsers are not told keys.
 *
 * @public
 */
export function readTerrasiftAccess(
  root: Config,
  { id, where, config }: TerrasiftTenantConfig,
): TerrasiftAccess {
  const baseUrl =
    config.getOptionalString('baseUrl') ??
    root.getOptionalString('terrasift.baseUrl');
  if (!baseUrl) {
    throw new InputError(
      `${where}: set baseUrl here, or terrasift.baseUrl for all`,
    );
  }
  return {
    id,
    baseUrl: checkedUrl(baseUrl, where),
    apiKey: config.getString('apiKey'),
  };
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
