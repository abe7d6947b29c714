import { setTimeout as delay } from 'timers/promises';

/** Waits that long, or until aborted. */
export async function rest(ms: number, signal: AbortSignal): Promise<void> {
  if (ms <= 0 || signal.aborted) return;
  await delay(ms, undefined, { signal }).catch(() => {
    // Aborted: whoever rests looks at the signal.
  });
}
