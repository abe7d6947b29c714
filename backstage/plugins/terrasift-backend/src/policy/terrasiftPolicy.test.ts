import { ConfigReader } from '@backstage/config';
import {
  catalogEntityDeletePermission,
  catalogEntityReadPermission,
  catalogLocationCreatePermission,
} from '@backstage/plugin-catalog-common/alpha';
import {
  AuthorizeResult,
  Permission,
  PolicyDecision,
} from '@backstage/plugin-permission-common';
import {
  terrasiftCatalogReadPermission,
  terrasiftUsageReadPermission,
} from '@terrasift/backstage-plugin-terrasift-common';
import { terrasiftPolicy } from './terrasiftPolicy';

const config = new ConfigReader({
  terrasift: {
    tenants: {
      acme: { grants: ['group:default/team'], admins: ['user:default/root'] },
      blue: { admins: ['user:default/root'] },
    },
  },
});

const NOBODYS = { not: has({}) };
const THEIRS: PolicyDecision = {
  result: AuthorizeResult.CONDITIONAL,
  pluginId: 'catalog',
  resourceType: 'catalog-entity',
  conditions: {
    rule: 'IS_ENTITY_KIND',
    resourceType: 'catalog-entity',
    params: { kinds: ['Group'] },
  },
};

function has(params: object) {
  return { rule: 'HAS_TENANT', resourceType: 'catalog-entity', params };
}

async function decide(
  permission: Permission,
  claims?: string[],
  base?: PolicyDecision,
) {
  const policy = terrasiftPolicy({
    config,
    policy: base && { handle: async () => base },
  });
  const user = claims && { info: { ownershipEntityRefs: claims } };
  return policy.handle({ permission }, user as any);
}

describe('terrasiftPolicy', () => {
  it.each<[string, string[] | undefined, object]>([
    ['nobody', undefined, NOBODYS],
    ['somebody without a grant', ['user:default/eve'], NOBODYS],
    [
      'a reader',
      ['user:default/a', 'group:default/team'],
      { anyOf: [NOBODYS, has({ tenants: ['acme'] })] },
    ],
    [
      'an admin of all',
      ['user:default/root'],
      { anyOf: [NOBODYS, has({ tenants: ['acme', 'blue'] })] },
    ],
  ])('filters the catalog for %s', async (_, claims, conditions) => {
    expect(await decide(catalogEntityReadPermission, claims)).toMatchObject({
      result: AuthorizeResult.CONDITIONAL,
      conditions,
    });
  });

  it('lets nobody delete what the provider keeps', async () => {
    expect(
      await decide(catalogEntityDeletePermission, ['user:default/root']),
    ).toMatchObject({ conditions: NOBODYS });
  });

  it('takes away from what the own policy allows, and never gives', async () => {
    const claims = ['user:default/root'];
    const read = catalogEntityReadPermission;
    const deny: PolicyDecision = { result: AuthorizeResult.DENY };
    expect(await decide(read, claims, deny)).toEqual(deny);
    expect(await decide(read, claims, THEIRS)).toMatchObject({
      conditions: {
        allOf: [
          (THEIRS as any).conditions,
          { anyOf: [NOBODYS, has({ tenants: ['acme', 'blue'] })] },
        ],
      },
    });
    expect(await decide(terrasiftCatalogReadPermission, claims, deny)).toEqual(
      deny,
    );
  });

  it('keeps operating a tenant to its admins', async () => {
    const team = ['group:default/team'];
    expect(await decide(terrasiftUsageReadPermission, team)).toEqual({
      result: AuthorizeResult.DENY,
    });
    expect(await decide(terrasiftCatalogReadPermission, team)).toMatchObject({
      pluginId: 'terrasift',
      conditions: { rule: 'IS_TENANT', params: { tenants: ['acme'] } },
    });
  });

  it('leaves everything else to the own policy', async () => {
    const deny: PolicyDecision = { result: AuthorizeResult.DENY };
    const create = catalogLocationCreatePermission;
    expect(await decide(create, [], deny)).toEqual(deny);
    expect(await decide(create, [])).toEqual({ result: AuthorizeResult.ALLOW });
  });

  it.each(['team', 'component:default/x', 'group:'])(
    'refuses the grant %s at the start',
    grant => {
      const wrong = new ConfigReader({
        terrasift: { tenants: { acme: { grants: [grant] } } },
      });
      expect(() => terrasiftPolicy({ config: wrong })).toThrow(
        /terrasift\.tenants\.acme\.grants/,
      );
    },
  );
});
