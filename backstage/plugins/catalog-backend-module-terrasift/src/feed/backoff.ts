import { FailureKind } from './failure';

const FIRST_MS = 500;
const LAST_MS: Record<FailureKind, number> = {
  // Begins anew at once, and slower if that fails too.
  expired: 30_000,
  // Somebody has to do something first.
  refused: 60_000,
  suspended: 60_000,
  limited: 60_000,
  unavailable: 15_000,
  malformed: 60_000,
  catalog: 15_000,
};
/** A server may ask for more patience than we would have, but not for any amount of it. */
const RETRY_AFTER_MS_MAX = 300_000;

/** How long to wait after so many failures in a row, the first being 1; `random` is between 0 and 1. */
export function backoffMs(
  kind: FailureKind,
  failures: number,
  random: number,
  retryAfterMs: number = 0,
): number {
  if (kind === 'expired' && failures === 1) return 0;
  const grown = FIRST_MS * 2 ** Math.min(failures - 1, 20);
  // Between half and all of it, so that tenants and replicas do not come back together.
  const spread = Math.min(grown, LAST_MS[kind]) * (0.5 + random / 2);
  return Math.max(spread, Math.min(retryAfterMs, RETRY_AFTER_MS_MAX));
}
