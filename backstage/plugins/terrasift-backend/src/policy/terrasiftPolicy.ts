import { Config } from '@backstage/config';
import {
  RESOURCE_TYPE_CATALOG_ENTITY,
  catalogEntityDeletePermission,
} from '@backstage/plugin-catalog-common/alpha';
import { catalogEntityPermissionResourceRef } from '@backstage/plugin-catalog-node/alpha';
import {
  AuthorizeResult,
  isPermission,
  isResourcePermission,
  PermissionCondition,
  PermissionCriteria,
  PolicyDecision,
} from '@backstage/plugin-permission-common';
import {
  createConditionExports,
  PermissionPolicy,
} from '@backstage/plugin-permission-node';
import {
  RESOURCE_TYPE_TERRASIFT_TENANT,
  terrasiftAuditReadPermission,
  terrasiftCatalogReadPermission,
} from '@terrasift/backstage-plugin-terrasift-common';
import {
  hasTenant,
  isTenant,
  terrasiftTenantPermissionResourceRef,
} from '../rules';
import { Grants } from '../tenants';

const catalog = createConditionExports({
  resourceRef: catalogEntityPermissionResourceRef,
  rules: { hasTenant },
});
const tenants = createConditionExports({
  resourceRef: terrasiftTenantPermissionResourceRef,
  rules: { isTenant },
});

const DENY: PolicyDecision = { result: AuthorizeResult.DENY };
const ALLOW: PolicyDecision = { result: AuthorizeResult.ALLOW };

/**
 * What {@link terrasiftPolicy} is made of.
 *
 * @public
 */
export interface TerrasiftPolicyOptions {
  /** The app's configuration, with the grants in `terrasift.tenants`. */
  config: Config;
  /**
   * The installation's own policy. It is asked first, and what it denies stays denied. Without it all is allowed that is
   * no tenant's.
   */
  policy?: PermissionPolicy;
}

/**
 * Keeps each user to the tenants granted to them, on top of the policy that the installation has. Entities without a
 * tenant are left to that policy. What the provider keeps in the catalog nobody can delete by hand.
 *
 * @public
 */
export function terrasiftPolicy(
  options: TerrasiftPolicyOptions,
): PermissionPolicy {
  const grants = Grants.fromConfig(options.config);
  return {
    async handle(request, user) {
      const base = (await options.policy?.handle(request, user)) ?? ALLOW;
      const { permission } = request;
      if (isResourcePermission(permission, RESOURCE_TYPE_CATALOG_ENTITY)) {
        const granted = [...grants.of(claims(user)).keys()];
        const nobodys = { not: catalog.conditions.hasTenant({}) };
        const deleting = isPermission(
          permission,
          catalogEntityDeletePermission,
        );
        const conditions =
          deleting || granted.length === 0
            ? nobodys
            : {
                anyOf: atLeastOne([
                  nobodys,
                  catalog.conditions.hasTenant({ tenants: granted }),
                ]),
              };
        return both(
          base,
          catalog.createConditionalDecision(permission, conditions),
        );
      }
      if (isResourcePermission(permission, RESOURCE_TYPE_TERRASIFT_TENANT)) {
        const forReaders =
          isPermission(permission, terrasiftCatalogReadPermission) ||
          isPermission(permission, terrasiftAuditReadPermission);
        const granted = [...grants.of(claims(user))]
          .filter(([, role]) => forReaders || role === 'admin')
          .map(([id]) => id);
        if (granted.length === 0) return DENY;
        return both(
          base,
          tenants.createConditionalDecision(
            permission,
            tenants.conditions.isTenant({ tenants: granted }),
          ),
        );
      }
      return base;
    },
  };
}

function claims(user: { info: { ownershipEntityRefs: string[] } } | undefined) {
  return user?.info.ownershipEntityRefs ?? [];
}

/** What both allow. */
function both(base: PolicyDecision, ours: PolicyDecision): PolicyDecision {
  if (base.result !== AuthorizeResult.CONDITIONAL) {
    return base.result === AuthorizeResult.ALLOW ? ours : base;
  }
  if (ours.result !== AuthorizeResult.CONDITIONAL) {
    return ours.result === AuthorizeResult.ALLOW ? base : ours;
  }
  return {
    ...ours,
    conditions: { allOf: atLeastOne([base.conditions, ours.conditions]) },
  };
}

function atLeastOne(
  criteria: [
    PermissionCriteria<PermissionCondition<string>>,
    ...PermissionCriteria<PermissionCondition<string>>[],
  ],
) {
  return criteria as [
    PermissionCriteria<PermissionCondition<any>>,
    ...PermissionCriteria<PermissionCondition<any>>[],
  ];
}
