import { Config, readDurationFromConfig } from '@backstage/config';
import { InputError } from '@backstage/errors';
import { durationToMilliseconds } from '@backstage/types';
import {
  readTerrasiftAccess,
  readTerrasiftTenants,
  TerrasiftAccess,
} from '@terrasift/backstage-plugin-terrasift-common';

/** Longest page that Terrasift serves. */
const PAGE_SIZE_MAX = 1000;

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
export interface TenantOptions extends TerrasiftAccess {
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
  return readTerrasiftTenants(config).map(tenant => ({
    ...readTerrasiftAccess(config, tenant),
    enabled: tenant.config.getOptionalBoolean('enabled') ?? true,
  }));
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
