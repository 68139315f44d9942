// eslint-disable-next-line no-restricted-syntax -- the one place that reads the real clock
import { setTimeout as delay } from 'node:timers/promises';

/** Time and chance, handed down from the entry point so that a simulation can own both. */
export interface Clock {
  /** This machine's wall clock: only for log lines and for folders; never to decide about other hosts. */
  now(): Date;
  /** Seconds on a clock that no adjustment touches: for every duration. */
  monotonicSeconds(): number;
  /** Resolves after `seconds`, or at once (without an error) when `signal` is aborted. */
  sleep(seconds: number, signal?: AbortSignal): Promise<void>;
  /** Uniform in [0, 1). */
  random(): number;
}

/** Milliseconds on the clock of `monotonicSeconds`. */
export function monotonicMs(clock: Pick<Clock, 'monotonicSeconds'>): number {
  return clock.monotonicSeconds() * 1000;
}

export const systemClock: Clock = {
  // eslint-disable-next-line no-restricted-syntax -- as above
  now: () => new Date(),
  // eslint-disable-next-line no-restricted-syntax -- as above
  monotonicSeconds: () => performance.now() / 1000,
  sleep: async (seconds, signal) => {
    try {
      await delay(seconds * 1000, undefined, signal ? { signal } : {});
    } catch (error) {
      if (!signal?.aborted) throw error;
    }
  },
  random: Math.random,
};

/** Least time between two beats, in periods: a timer may end early, and a clock may be set. */
const CLOSEST = 0.1;

/** Time until the next multiple of the period; at most 1.1 periods. */
export function untilBeatSeconds(nowMs: number, periodSeconds: number): number {
  const phase = (nowMs / 1000) % periodSeconds;
  const wait = periodSeconds - phase;
  return wait < CLOSEST * periodSeconds ? wait + periodSeconds : wait;
}
