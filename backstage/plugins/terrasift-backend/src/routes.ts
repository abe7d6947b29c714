import { InputError } from '@backstage/errors';
import {
  terrasiftAuditReadPermission,
  terrasiftCatalogReadPermission,
  terrasiftDeadLettersReadPermission,
  terrasiftDeadLettersWritePermission,
  TerrasiftTenantPermission,
  terrasiftUsageReadPermission,
} from '@terrasift/backstage-plugin-terrasift-common';

/** A route below `/tenants/:tenant`, which is the one of Terrasift with the same path. */
export interface TenantRoute {
  method: 'get' | 'post';
  path: string;
  permission: TerrasiftTenantPermission;
  /** Query parameters that are passed on; others are refused. */
  query: readonly string[];
}

const catalog = terrasiftCatalogReadPermission;
const audit = terrasiftAuditReadPermission;
const letters = terrasiftDeadLettersReadPermission;
const decide = terrasiftDeadLettersWritePermission;
const page = ['cursor', 'limit'] as const;

/** All of them. What is not here is not reachable through Backstage: the feed is not. */
export const TENANT_ROUTES: readonly TenantRoute[] = [
  route('get', '/status', catalog),
  route('get', '/workspaces', catalog),
  route('get', '/workspaces/:workspace', catalog),
  route('get', '/resources', catalog, [
    ...page,
    'type',
    'module',
    'prefix',
    'workspace',
  ]),
  route('get', '/resource-types', catalog),
  route('get', '/runs', catalog, [...page, 'workspace']),
  route('get', '/audit', audit, [
    ...page,
    'workspace',
    'rule',
    'category',
    'since',
    'until',
  ]),
  route('get', '/audit/:id', audit),
  route('get', '/usage', terrasiftUsageReadPermission, ['since', 'until']),
  route('get', '/dead-letters', letters, [
    ...page,
    'state',
    'reason',
    'workspace',
    'since',
  ]),
  route('get', '/dead-letters/:id', letters),
  route('post', '/dead-letters/:id/retry', decide),
  route('post', '/dead-letters/:id/discard', decide),
];

/** Longest value that is passed on; cursors are far below. */
const VALUE_LENGTH_MAX = 1024;
const PARAMETERS: Record<string, RegExp> = {
  workspace: /^[A-Za-z0-9_-]{1,64}$/,
  id: /^[0-9]{1,19}$/,
};

/**
 * The path and query to ask Terrasift for. Whatever a user sends can choose among this route's parameters, and never
 * another route.
 */
export function upstreamPath(
  { path, query }: TenantRoute,
  params: Record<string, string>,
  given: Record<string, unknown>,
): string {
  const filled = path.replace(/:([a-z]+)/g, (_, name: string) => {
    if (!PARAMETERS[name].test(params[name])) {
      throw new InputError(`'${name}' in the path is not well-formed`);
    }
    return encodeURIComponent(params[name]);
  });
  const passed = new URLSearchParams();
  // In the table's order, so that the same question is the same text.
  for (const name of query) {
    const value = given[name];
    if (value === undefined || value === '') continue;
    if (typeof value !== 'string' || value.length > VALUE_LENGTH_MAX) {
      throw new InputError(
        `'${name}' may be given once, with at most ${VALUE_LENGTH_MAX} characters`,
      );
    }
    passed.set(name, value);
  }
  if (Object.keys(given).some(name => !query.includes(name))) {
    throw new InputError(
      `this takes ${
        query.length ? query.join(', ') : 'no parameters'
      } and nothing else`,
    );
  }
  const text = passed.toString();
  return `/v1${filled}${text && `?${text}`}`;
}

function route(
  method: TenantRoute['method'],
  path: string,
  permission: TerrasiftTenantPermission,
  query: readonly string[] = [],
): TenantRoute {
  return { method, path, permission, query };
}
