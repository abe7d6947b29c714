/** By hand, and not by the code that is tried. */
export type Role = 'none' | 'reader' | 'admin';
/** As the demo names its first three. */
export const TENANTS = ['acme-01', 'borealis-02', 'cobalt-03'] as const;

/** Who asks, and what they have in each tenant. */
export const PEOPLE: {
  name: string;
  ref?: string;
  groups?: string[];
  roles: [Role, Role, Role];
}[] = [
  { name: 'nobody', roles: ['none', 'none', 'none'] },
  { name: 'eve', ref: 'user:default/eve', roles: ['none', 'none', 'none'] },
  {
    name: 'alice, by name',
    ref: 'user:default/alice',
    roles: ['reader', 'none', 'none'],
  },
  {
    name: 'another alice, of another namespace',
    ref: 'user:acme-01/alice',
    roles: ['none', 'none', 'none'],
  },
  {
    name: 'a group that is called alice',
    ref: 'user:default/zoe',
    groups: ['group:default/alice', 'group:blue/two', 'user:default/two'],
    roles: ['none', 'none', 'none'],
  },
  {
    name: 'bob, by group',
    ref: 'user:default/bob',
    groups: ['group:default/two'],
    roles: ['none', 'reader', 'none'],
  },
  {
    name: 'carol, of two tenants',
    ref: 'user:default/carol',
    groups: ['group:default/two', 'group:default/three'],
    roles: ['none', 'reader', 'reader'],
  },
  {
    name: 'dave, who operates one',
    ref: 'user:default/dave',
    roles: ['admin', 'none', 'none'],
  },
  {
    name: 'erin, who operates one and sees another',
    ref: 'user:default/erin',
    groups: ['group:default/operators', 'group:default/three'],
    roles: ['none', 'admin', 'reader'],
  },
  {
    name: 'frank, who operates all',
    ref: 'user:default/frank',
    groups: ['group:default/platform'],
    roles: ['admin', 'admin', 'admin'],
  },
];

/** What is configured for that. */
export const GRANTS: Record<string, { grants: string[]; admins: string[] }> = {
  'acme-01': {
    grants: ['user:default/alice'],
    admins: ['user:default/dave', 'group:default/platform'],
  },
  'borealis-02': {
    grants: ['group:default/two'],
    admins: ['group:default/operators', 'group:default/platform'],
  },
  'cobalt-03': {
    grants: ['Group:three'],
    admins: ['group:default/platform'],
  },
};
