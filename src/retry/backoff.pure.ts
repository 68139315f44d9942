import type { RetryRules } from '../infra/config/rules.pure.ts';

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

/** What a failed attempt makes of its run. */
export type FailureConclusion =
  /** Counted: tried again after the delay. */
  | { kind: 'failed'; failures: number; delaySeconds: number }
  /** Counted, and the last one: no host tries again. */
  | { kind: 'given_up'; failures: number; delaySeconds: null }
  /** Not the fault of the run: tried again soon with the same count. */
  | { kind: 'requeued'; holderLost: boolean; delaySeconds: number };

/**
 * `before`: counted failures so far; `random` is drawn evenly from [0, 1). A run that was given up and
 * tried once more by a person is not counted further.
 */
export function countedConclusion(
  before: number,
  random: number,
  rules: RetryRules,
): Exclude<FailureConclusion, { kind: 'requeued' }> {
  const failures = before + 1;
  return failures >= rules.maxFailures
    ? { kind: 'given_up', failures: Math.max(before, rules.maxFailures), delaySeconds: null }
    : { kind: 'failed', failures, delaySeconds: nextRetryDelaySeconds(before, random, rules) };
}

/** Counts of earlier attempts in the run document. */
export interface FailureHistory {
  /** Counted failures. */
  failures: number;
  /** Uncounted events in a row. */
  uncounted: number;
  /** How many of these events lost the holder together with the run. */
  holdersLost: number;
}

/** Whose fault it is that an attempt was not done. */
export type Fault =
  /** Counted. */
  | 'run'
  /** The machine, its disk, a database, an operator, a manager. */
  | 'surroundings'
  /** Targets or context of the host, alike for every attempt: never counted. */
  | 'configuration'
  /** Child, guardian and manager vanished together, as when the machine crashes: once may be chance. */
  | 'holder_lost';

/**
 * The conclusion of one more attempt that was not done. After too many uncounted events in a row the
 * next one counts, and so does the second loss of a holder: a run that crashes every host must not be
 * tried for ever.
 */
export function concludeFailure(
  before: FailureHistory,
  fault: Fault,
  random: number,
  rules: RetryRules,
): FailureConclusion {
  const inRow = before.uncounted + 1;
  const poisonous = fault === 'holder_lost' && before.holdersLost >= rules.uncounted.maxHoldersLost;
  const isPatient = fault === 'configuration' || inRow <= rules.uncounted.maxInRow;
  if (fault !== 'run' && !poisonous && isPatient) {
    return {
      kind: 'requeued',
      holderLost: fault === 'holder_lost',
      delaySeconds: uncountedDelaySeconds(inRow, rules),
    };
  }
  return countedConclusion(before.failures, random, rules);
}
