/**
 * Why the feed cannot be followed.
 *
 * - `expired`: the cursor means nothing to the server (any more): begin without one.
 * - `refused`: the key is not taken, or not allowed to read the catalog.
 * - `suspended`: an operator of Terrasift has suspended the tenant.
 * - `limited`: too many requests.
 * - `unavailable`: no answer, or one that says "later".
 * - `malformed`: an answer that is cut, too large, or not what the API promises.
 * - `catalog`: our own catalog does not answer, or refused a mutation.
 */
export type FailureKind =
  | 'expired'
  | 'refused'
  | 'suspended'
  | 'limited'
  | 'unavailable'
  | 'malformed'
  | 'catalog';

const MEND: Record<FailureKind, string> = {
  expired: 'all entities are read again; nothing has to be done',
  refused:
    "check the tenant's apiKey: it has to be live and to have the scope catalog:read",
  suspended: 'resume the tenant in Terrasift, or set enabled: false',
  limited: 'it is tried again when the server says so',
  unavailable: 'it is tried again; check baseUrl and whether Terrasift is up',
  malformed:
    'it is tried again; check that nothing between here and Terrasift changes or cuts answers',
  catalog: "it is tried again; see the catalog's own log",
};

/** See {@link FailureKind}. Must never carry a cursor, a key or a body. */
export class FeedFailure extends Error {
  name = 'FeedFailure';

  constructor(
    readonly kind: FailureKind,
    what: string,
    readonly retryAfterMs?: number,
  ) {
    super(`${what}: ${MEND[kind]}`);
  }
}

/** Codes of Terrasift's problems that say more than their status does. */
const KIND_BY_CODE: Record<string, FailureKind> = {
  cursor_expired: 'expired',
  cursor_invalid: 'expired',
  cursor_filter_changed: 'expired',
  tenant_suspended: 'suspended',
};

/** What an answer that is no success means. */
export function failureOf(
  path: string,
  status: number,
  code: string | undefined,
  retryAfter: string | null,
): FeedFailure {
  const known = code === undefined ? undefined : KIND_BY_CODE[code];
  const named = known && code ? ` ${code}` : '';
  const seconds = Number(retryAfter ?? undefined);
  return new FeedFailure(
    known ?? kindByStatus(status),
    `${path} answered ${status}${named}`,
    Number.isFinite(seconds) ? seconds * 1000 : undefined,
  );
}

function kindByStatus(status: number): FailureKind {
  if (status === 401 || status === 403) return 'refused';
  if (status === 429) return 'limited';
  if (status === 408 || status >= 500) return 'unavailable';
  return 'malformed';
}
