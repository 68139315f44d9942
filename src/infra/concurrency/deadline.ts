import type { Clock } from '../clock/clock.ts';

export const TOO_LATE = Symbol('too late');

/**
 * The answer of a work, or `TOO_LATE` if there is none within the time. Nobody can call the work off: it
 * goes on, and how it ends then concerns nobody.
 */
export async function within<T>(
  clock: Pick<Clock, 'sleep'>,
  seconds: number,
  work: Promise<T>,
  signal?: AbortSignal,
): Promise<T | typeof TOO_LATE> {
  giveUp(work);
  const over = new AbortController();
  const either = signal === undefined ? over.signal : AbortSignal.any([over.signal, signal]);
  const late = clock.sleep(seconds, either).then((): typeof TOO_LATE => TOO_LATE);
  try {
    return await Promise.race([work, late]);
  } finally {
    over.abort();
  }
}

/** How this work ends concerns nobody, also if it fails: what it was for is over. */
export function giveUp(work: Promise<unknown>): void {
  work.catch(() => undefined);
}
