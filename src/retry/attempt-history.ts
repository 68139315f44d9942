import type { AttemptTimes } from '../attempt/attempt-times.pure.ts';
import { boundedText } from '../infra/values/bounded.pure.ts';
import type { Environment } from '../ports/environment.ts';
import { isUnfit, untilWritten } from '../ports/persist.ts';
import type { AttemptRecord, StoredOutcome } from './attempt-history.port.ts';

/** A reason that does not fit as it is keeps this much of its text. */
const SHORT_REASON_CHARACTERS = 200;

/** Writes that an attempt has begun; false if `signal` was aborted. A refusal does not hold up the run. */
export async function beginHistory(
  env: Environment,
  record: AttemptRecord,
  signal: AbortSignal,
): Promise<boolean> {
  const written = await asFits(env, record.attempt, signal, [
    () => env.store.attempts.begin(record),
    () => env.store.attempts.begin({ ...record, mode: '', plan: null }),
  ]);
  return written !== null;
}

/** An end of an attempt, as it is written. */
export interface AttemptEnd {
  outcome: StoredOutcome;
  unlessEnded?: boolean;
  times?: AttemptTimes;
}

/**
 * Writes the end of an attempt; only the outcome if the database refuses the whole. False if `signal` was
 * aborted.
 */
export async function endHistory(
  env: Environment,
  attempt: string,
  { outcome, ...options }: AttemptEnd,
  signal: AbortSignal,
): Promise<boolean> {
  const written = await asFits(env, attempt, signal, [
    () => env.store.attempts.end(attempt, outcome, options),
    () => env.store.attempts.end(attempt, essence(outcome), options),
  ]);
  return written !== null;
}

function essence(outcome: StoredOutcome): StoredOutcome {
  const { reason } = outcome;
  return {
    ...outcome,
    reason: reason === null ? null : boundedText(reason, SHORT_REASON_CHARACTERS),
    ...{ traceback: null, fingerprint: null, plugin: null, meaning: null },
    ...{ dropped: [], products: [], versions: {} },
  };
}

/** Tries each form in turn until one is written; null if `signal` was aborted. */
async function asFits(
  env: Environment,
  attempt: string,
  signal: AbortSignal,
  ways: readonly (() => Promise<unknown>)[],
): Promise<'written' | 'left out' | null> {
  let problem = '';
  for (const write of ways) {
    try {
      return await untilWritten(env, `the history of attempt ${attempt}`, signal, async () => {
        await write();
        return 'written' as const;
      });
    } catch (error) {
      if (!isUnfit(error)) throw error;
      problem = error.message;
    }
  }
  env.log.error(
    { event: 'history.left_out', attempt, problem },
    `attempt ${attempt} could not be written to the history: ${problem}`,
  );
  return 'left out';
}
