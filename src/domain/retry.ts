import type { RetryRules } from './rules.ts';

/**
 * Delay until the next attempt after a counted failure, seconds (reference, section 2.4).
 * `failures` is the count before this failure; `random` is drawn evenly from [0, 1).
 */
export function nextRetryDelaySeconds(failures: number, random: number, rules: RetryRules): number {
  const exponent = Math.min(failures, rules.maxExponent);
  const jitter = rules.jitter.min + random * (rules.jitter.max - rules.jitter.min);
  return rules.baseSeconds * rules.growth ** exponent * jitter;
}

/** Delay after the n-th uncounted event in a row (n from 1), seconds: doubling up to a limit. */
export function uncountedDelaySeconds(inRow: number, rules: RetryRules): number {
  const { firstSeconds, maxSeconds } = rules.uncounted;
  return Math.min(maxSeconds, firstSeconds * 2 ** (inRow - 1));
}

/** What a failure does to the run's document. Delays in seconds. */
export type FailureConclusion =
  /** Counted: one rung down, tried again after the delay. */
  | { kind: 'failed'; failures: number; uncounted: 0; delaySeconds: number }
  /** Not the run's fault: tried again soon with the same count. */
  | { kind: 'requeued'; failures: number; uncounted: number; delaySeconds: number }
  /** Counted, and the last one: nobody tries again. */
  | { kind: 'given_up'; failures: number; uncounted: 0; delaySeconds: null };

export interface FailureCount {
  /** Counted failures before this one. */
  failures: number;
  /** Uncounted events in a row before this one. */
  uncounted: number;
  /** Whether this one is the run's fault. */
  counted: boolean;
}

/**
 * What follows from one more failure. More uncounted events in a row than the limit count all the
 * same: a run that breaks every host it meets must not go round for ever.
 */
export function concludeFailure(
  count: FailureCount,
  random: number,
  rules: RetryRules,
): FailureConclusion {
  const inRow = count.uncounted + 1;
  if (!count.counted && inRow <= rules.uncounted.maxInRow) {
    return {
      kind: 'requeued',
      failures: count.failures,
      uncounted: inRow,
      delaySeconds: uncountedDelaySeconds(inRow, rules),
    };
  }
  const failures = count.failures + 1;
  if (failures >= rules.maxFailures) {
    return { kind: 'given_up', failures, uncounted: 0, delaySeconds: null };
  }
  return {
    kind: 'failed',
    failures,
    uncounted: 0,
    delaySeconds: nextRetryDelaySeconds(count.failures, random, rules),
  };
}
