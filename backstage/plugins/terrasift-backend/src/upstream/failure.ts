import {
  ConflictError,
  InputError,
  NotFoundError,
  ServiceUnavailableError,
} from '@backstage/errors';

/** Codes are constants of Terrasift's; anything else that stands there is not repeated. */
const CODE = /^[a-z][a-z_]{1,63}$/;

/**
 * The error that a user gets in place of an answer that is none. It tells the tenant, the status and the code; never
 * what else the answer says, which is somebody else's text.
 */
export function failureOf(
  tenant: string,
  status: number,
  body: unknown,
): { error: Error; retryAfter: boolean } {
  const code = codeIn(body);
  const told = code ? `${status}, ${code}` : `${status}`;
  const fatal = (error: Error) => ({ error, retryAfter: false });
  switch (status) {
    case 400:
    case 413:
      return fatal(
        new InputError(`Terrasift does not take this request (${told})`),
      );
    case 401:
      return fatal(
        new ServiceUnavailableError(
          `Terrasift refuses the key of tenant ${tenant} (${told}): set a valid one in terrasift.tenants.${tenant}.apiKey`,
        ),
      );
    case 403:
      return fatal(
        new ServiceUnavailableError(
          code === 'tenant_suspended'
            ? `tenant ${tenant} is suspended in Terrasift`
            : `the key of tenant ${tenant} lacks a scope for this (${told}): issue one that has it`,
        ),
      );
    case 404:
      return fatal(new NotFoundError(`Terrasift has no such thing (${told})`));
    case 409:
      return fatal(new ConflictError(`it was decided before (${told})`));
    case 410:
      return fatal(
        new InputError(`this page is gone (${told}): begin with the first`),
      );
    case 429:
      return {
        error: new ServiceUnavailableError(
          `tenant ${tenant} asks Terrasift for too much (${told}): try again soon`,
        ),
        retryAfter: true,
      };
    default:
      return {
        error: new ServiceUnavailableError(
          `Terrasift cannot answer for tenant ${tenant} (${told})`,
        ),
        retryAfter: status === 503,
      };
  }
}

function codeIn(body: unknown): string | undefined {
  const code =
    typeof body === 'object' && body !== null && 'code' in body && body.code;
  return typeof code === 'string' && CODE.test(code) ? code : undefined;
}
