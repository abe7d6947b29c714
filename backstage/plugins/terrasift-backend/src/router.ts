import {
  AuditorService,
  BackstageCredentials,
  BackstageUserPrincipal,
  HttpAuthService,
  PermissionsRegistryService,
  PermissionsService,
  UserInfoService,
} from '@backstage/backend-plugin-api';
import { NotAllowedError, NotFoundError } from '@backstage/errors';
import { AuthorizeResult } from '@backstage/plugin-permission-common';
import { createConditionAuthorizer } from '@backstage/plugin-permission-node';
import {
  terrasiftCatalogReadPermission,
  TerrasiftTenant,
  TerrasiftTenantPermission,
  terrasiftPermissions,
} from '@terrasift/backstage-plugin-terrasift-common';
import express from 'express';
import Router from 'express-promise-router';
import { TENANT_ROUTES, upstreamPath } from './routes';
import { terrasiftTenantPermissionResourceRef } from './rules';
import { Grants, TenantRole } from './tenants';
import { RetryLater, TerrasiftClient } from './upstream/TerrasiftClient';

/** What a router is made of. */
export interface RouterOptions {
  auditor: AuditorService;
  client: TerrasiftClient;
  grants: Grants;
  httpAuth: HttpAuthService;
  permissions: PermissionsService;
  permissionsRegistry: PermissionsRegistryService;
  userInfo: UserInfoService;
}

type UserCredentials = BackstageCredentials<BackstageUserPrincipal>;

/** What readers may; the rest is for who operates a tenant. */
const FOR_READERS: ReadonlySet<string> = new Set([
  'terrasift.catalog.read',
  'terrasift.audit.read',
]);

/**
 * Two locks in a row: the grants in the configuration, which hold whatever the installation's policy says, and the
 * permission framework, which may take more away. A tenant that is not granted and one that does not exist are the
 * same.
 */
export function createRouter(options: RouterOptions): express.Router {
  const { auditor, client, httpAuth, permissions } = options;
  const router = Router();

  router.use((_, response, next) => {
    response.set('Cache-Control', 'private, no-cache');
    response.vary('Authorization');
    next();
  });

  router.get('/tenants', async (request, response) => {
    const credentials = await httpAuth.credentials(request, {
      allow: ['user'],
    });
    response.json({ tenants: await visibleTenants(options, credentials) });
  });

  for (const route of TENANT_ROUTES) {
    const path = `/tenants/:tenant${route.path}`;
    router[route.method](path, async (request, response) => {
      const { tenant, ...params } = request.params;
      const credentials = await httpAuth.credentials(request, {
        allow: ['user'],
      });
      const role = (await grantsOf(options, credentials)).get(tenant);
      if (!role) {
        throw new NotFoundError('there is no such tenant, or it is not yours');
      }
      const [decision] = mayByRole(role, route.permission)
        ? await permissions.authorize(
            [{ permission: route.permission, resourceRef: tenant }],
            { credentials },
          )
        : [{ result: AuthorizeResult.DENY }];
      if (decision.result !== AuthorizeResult.ALLOW) {
        throw new NotAllowedError(
          `this needs ${route.permission.name} in tenant ${tenant}`,
        );
      }
      const upstream = upstreamPath(route, params, request.query);
      if (route.method === 'get') {
        response.json(await client.get(tenant, upstream));
        return;
      }
      // Terrasift sees one key for all users: who it was is told here.
      const event = await auditor.createEvent({
        eventId: 'dead-letter-decide',
        severityLevel: 'medium',
        request,
        meta: { tenant, id: params.id, decision: route.path.split('/').pop()! },
      });
      try {
        const body = await client.post(tenant, upstream);
        await event.success();
        response.json(body);
      } catch (error) {
        await event.fail({ error: error as Error });
        throw error;
      }
    });
  }

  router.use(
    (
      error: Error,
      _request: express.Request,
      response: express.Response,
      next: express.NextFunction,
    ) => {
      if (error instanceof RetryLater) {
        response.set('Retry-After', `${error.seconds}`);
      }
      next(error);
    },
  );
  return router;
}

/** The tenants that somebody may look into, with what they may do there. */
async function visibleTenants(
  options: RouterOptions,
  credentials: UserCredentials,
): Promise<TerrasiftTenant[]> {
  const granted = await grantsOf(options, credentials);
  // One decision a permission, however many tenants there are.
  const decisions = await options.permissions.authorizeConditional(
    terrasiftPermissions.map(permission => ({ permission })),
    { credentials },
  );
  const allows = createConditionAuthorizer(
    options.permissionsRegistry.getPermissionRuleset(
      terrasiftTenantPermissionResourceRef,
    ),
  );
  return [...granted]
    .map(([id, role]) => ({
      id,
      permissions: terrasiftPermissions
        .filter(
          (permission, at) =>
            mayByRole(role, permission) && allows(decisions[at], { id }),
        )
        .map(permission => permission.name),
    }))
    .filter(tenant =>
      tenant.permissions.includes(terrasiftCatalogReadPermission.name),
    );
}

async function grantsOf(
  { grants, userInfo }: RouterOptions,
  credentials: UserCredentials,
): Promise<Map<string, TenantRole>> {
  const info = await userInfo.getUserInfo(credentials);
  return grants.of([info.userEntityRef, ...info.ownershipEntityRefs]);
}

function mayByRole(
  role: TenantRole,
  permission: TerrasiftTenantPermission,
): boolean {
  return role === 'admin' || FOR_READERS.has(permission.name);
}
