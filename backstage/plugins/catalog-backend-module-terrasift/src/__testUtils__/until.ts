import { setTimeout as delay } from 'timers/promises';

const PATIENCE_MS = 20_000;

/** Waits until something is the case, or fails saying what never was. */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  patienceMs: number = PATIENCE_MS,
): Promise<void> {
  const deadline = Date.now() + patienceMs;
  while (!(await holds())) {
    if (Date.now() > deadline) {
      throw new Error(`waited for ${patienceMs} ms in vain: ${what}`);
    }
    await delay(20);
  }
}
