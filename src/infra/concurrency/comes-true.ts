import type { Clock } from '../clock/clock.ts';

export interface Checks {
  withinSeconds: number;
  /** Between two checks. */
  everySeconds: number;
}

/**
 * Checks a condition of which nothing tells, such as the end of a process that is no child, or a file on
 * shared storage, until it is true; false if it is not within the time. It is checked once at least.
 */
export async function comesTrue(
  clock: Pick<Clock, 'monotonicSeconds' | 'sleep'>,
  { withinSeconds, everySeconds }: Checks,
  condition: () => boolean | Promise<boolean>,
): Promise<boolean> {
  const limit = clock.monotonicSeconds() + withinSeconds;
  while (!(await condition())) {
    if (clock.monotonicSeconds() > limit) return false;
    await clock.sleep(everySeconds);
  }
  return true;
}
