import { Config, readDurationFromConfig } from '@backstage/config';
import { InputError } from '@backstage/errors';
import { durationToMilliseconds } from '@backstage/types';

/** Longest page that Terrasift serves. */
const PAGE_SIZE_MAX = 1000;
/** Ids become part of provider names, annotations and metrics. */
const TENANT_ID = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/** What is followed for every tenant in the same way. */
export interface FeedOptions {
  pageSize: number;
  compareEveryMs: number;
  settleMs: number;
  leaseMs: number;
  removals: RemovalLimits;
}

/** See `terrasift.catalog.removals` in `config.d.ts`. */
export interface RemovalLimits {
  maxPercent: number;
  alwaysAllowed: number;
}

/** A tenant as it is configured. Never logged: it holds a key. */
export interface TenantOptions {
  id: string;
  baseUrl: string;
  apiKey: string;
  enabled: boolean;
}

/** Reads `terrasift.catalog`. */
export function readFeedOptions(config: Config): FeedOptions {
  const catalog = config.getOptionalConfig('terrasift.catalog');
  const milliseconds = (key: string, fallback: number) =>
    catalog?.has(key)
      ? durationToMilliseconds(readDurationFromConfig(catalog, { key }))
      : fallback;
  return {
    pageSize: whole(catalog, 'pageSize', 500, 1, PAGE_SIZE_MAX),
    compareEveryMs: milliseconds('compareEvery', 3_600_000),
    settleMs: milliseconds('settle', 60_000),
    leaseMs: Math.max(milliseconds('lease', 30_000), 1_000),
    removals: {
      maxPercent: whole(catalog, 'removals.maxPercent', 20, 0, 100),
      alwaysAllowed: whole(
        catalog,
        'removals.alwaysAllowed',
        100,
        0,
        Number.MAX_SAFE_INTEGER,
      ),
    },
  };
}

/** Reads `terrasift.tenants`. */
export function readTenants(config: Config): TenantOptions[] {
  const terrasift = config.getOptionalConfig('terrasift');
  const tenants = terrasift?.getOptionalConfig('tenants');
  return (tenants?.keys() ?? []).map(id => {
    const where = `terrasift.tenants.${id}`;
    if (!TENANT_ID.test(id)) {
      throw new InputError(
        `${where}: an id is 1 to 63 of a-z, 0-9 and -, with a letter or digit at both ends`,
      );
    }
    const tenant = tenants!.getConfig(id);
    const baseUrl =
      tenant.getOptionalString('baseUrl') ??
      terrasift?.getOptionalString('baseUrl');
    if (!baseUrl) {
      throw new InputError(
        `${where}: set baseUrl here, or terrasift.baseUrl for all`,
      );
    }
    return {
      id,
      baseUrl: checkedUrl(baseUrl, where),
      apiKey: tenant.getString('apiKey'),
      enabled: tenant.getOptionalBoolean('enabled') ?? true,
    };
  });
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

function whole(
  config: Config | undefined,
  key: string,
  fallback: number,
  min: number,
  max: number,
): number {
  const value = config?.getOptionalNumber(key) ?? fallback;
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new InputError(
      `terrasift.catalog.${key}: expected a whole number from ${min} to ${max}`,
    );
  }
  return value;
}
