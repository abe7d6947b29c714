import { backoffMs } from './backoff';
import { failureOf } from './failure';

describe('failureOf', () => {
  it.each([
    [410, 'cursor_expired', 'expired'],
    [400, 'cursor_invalid', 'expired'],
    [400, 'cursor_filter_changed', 'expired'],
    [400, 'limit_out_of_range', 'malformed'],
    [401, 'unauthorized', 'refused'],
    [403, 'scope_missing', 'refused'],
    [403, 'tenant_suspended', 'suspended'],
    [404, 'route_not_found', 'malformed'],
    [429, 'rate_limited', 'limited'],
    [408, 'request_timeout', 'unavailable'],
    [503, 'store_unavailable', 'unavailable'],
    [502, undefined, 'unavailable'],
    [410, undefined, 'malformed'],
  ])('tells %s %s as %s', (status, code, kind) => {
    expect(failureOf('/v1/changes', status, code, null).kind).toBe(kind);
  });

  it('says what, where and how to mend it, and no word of the answer', () => {
    expect(failureOf('/v1/changes', 401, 'secret-code', null).message).toBe(
      "/v1/changes answered 401: check the tenant's apiKey: it has to be live and to have the scope catalog:read",
    );
  });

  it('heeds when to come back', () => {
    const retryAfter = (text: string | null) =>
      failureOf('/v1/changes', 429, undefined, text).retryAfterMs;
    expect(retryAfter('7')).toBe(7000);
    expect(retryAfter('soon')).toBeUndefined();
    expect(retryAfter(null)).toBeUndefined();
  });
});

describe('backoffMs', () => {
  it.each([
    ['begins anew at once', 'expired', 1, 1, undefined, 0],
    ['and slower if that fails too', 'expired', 2, 1, undefined, 1000],
    ['waits a little first', 'unavailable', 1, 1, undefined, 500],
    ['spreads', 'unavailable', 1, 0, undefined, 250],
    ['grows', 'unavailable', 4, 1, undefined, 4000],
    ['up to a limit', 'unavailable', 4000, 1, undefined, 15_000],
    ['heeds the server', 'limited', 1, 1, 9000, 9000],
    ['within reason', 'limited', 1, 1, 9_000_000, 300_000],
  ] as const)('%s', (_, kind, failures, random, retryAfter, expected) => {
    expect(backoffMs(kind, failures, random, retryAfter)).toBe(expected);
  });
});
