import {
  coreServices,
  createBackendModule,
} from '@backstage/backend-plugin-api';
import { NotAllowedError } from '@backstage/errors';
import {
  authProvidersExtensionPoint,
  createProxyAuthenticator,
  createProxyAuthProviderFactory,
} from '@backstage/plugin-auth-node';

/** The header by which one says who one is. */
export const EXAMPLE_PERSON_HEADER = 'x-example-person';

/**
 * Signs in whoever is named, without a password: for tests, and for the dev app on loopback. Refuses to start where
 * Backstage listens to other machines.
 *
 * @param people - references of users, each with the groups that they belong to
 */
export function examplePeople(people: Record<string, string[]>) {
  return createBackendModule({
    pluginId: 'auth',
    moduleId: 'example-people',
    register(env) {
      env.registerInit({
        deps: {
          config: coreServices.rootConfig,
          providers: authProvidersExtensionPoint,
        },
        async init({ config, providers }) {
          const host = config.getOptionalString('backend.listen.host');
          if (host !== '127.0.0.1') {
            throw new Error('example people sign in on 127.0.0.1 only');
          }
          providers.registerProvider({
            providerId: 'example',
            factory: createProxyAuthProviderFactory({
              authenticator: createProxyAuthenticator({
                defaultProfileTransform: async () => ({ profile: {} }),
                initialize: () => undefined,
                async authenticate({ req }) {
                  const ref = req.get(EXAMPLE_PERSON_HEADER) ?? '';
                  if (!Object.hasOwn(people, ref)) {
                    throw new NotAllowedError('there is no such person');
                  }
                  return { result: ref };
                },
              }),
              signInResolver: ({ result: ref }, context) =>
                context.issueToken({
                  claims: { sub: ref, ent: [ref, ...people[ref]] },
                }),
            }),
          });
        },
      });
    },
  });
}
