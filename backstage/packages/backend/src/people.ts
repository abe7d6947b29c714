/** Who can sign in to the dev app, and in which groups they are. */
export const PEOPLE = {
  'user:default/guest': [],
  'user:default/alice': ['group:default/acme-team'],
  'user:default/olga': ['group:default/operators'],
};
