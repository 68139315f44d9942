import { setTimeout as delay } from 'node:timers/promises';

export const LOOK_MS = 20;
/** On a machine that has much else to do: what hangs shall end, and nothing else. */
const PATIENCE_SECONDS = 240;

/**
 * Awaits a condition; says what was awaited, and what was seen last, when patience ends. `lookMs`: how
 * long until it looks again.
 */
export async function until<T>(
  what: string,
  look: () => Promise<T | null | undefined | false> | T | null | undefined | false,
  patienceSeconds = PATIENCE_SECONDS,
  lookMs = LOOK_MS,
): Promise<T> {
  const limit = performance.now() + patienceSeconds * 1000;
  for (;;) {
    const seen = await look();
    if (seen !== null && seen !== undefined && seen !== false) return seen;
    if (performance.now() > limit)
      throw new Error(`waited ${patienceSeconds} s in vain for ${what}`);
    await delay(lookMs);
  }
}
