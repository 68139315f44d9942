import { StoreError, type StoreErrorKind } from '../infra/mongo/store-error.ts';
import type { Seen } from '../run/run-document.port.ts';
import type { Environment } from './environment.ts';
import { runLabel, tellDaq } from './notify.ts';

const FIRST_PAUSE_SECONDS = 0.5;
const LONGEST_PAUSE_SECONDS = 10;
/** A write that the server answers this often in a row with an unknown error is refused for good. */
const MOST_UNCLEAR = 8;

/** What may be otherwise later. */
const PASSING: readonly StoreErrorKind[] = [
  'unreachable',
  'unauthorized',
  'unsupported',
  'unclear',
];

/** Whether an error says that the database cannot do it now, which is never an internal error. */
export function isOutage(error: unknown): error is StoreError {
  return error instanceof StoreError && PASSING.includes(error.kind);
}

/** Whether an error is an answer of the database, or none; any other is a mistake of this program. */
export function isOfDatabase(error: unknown): error is StoreError {
  return error instanceof StoreError && error.kind !== 'refused';
}

/** Whether the database refuses something for good: it concerns what was to be written alone. */
export function isUnfit(error: unknown): error is StoreError {
  return error instanceof StoreError && error.kind === 'unfit';
}

/**
 * Repeats a question until the database has answered, however long the outage. Ends with null when
 * `signal` is aborted. Throws what is not an outage.
 */
export async function untilAnswered<T>(
  env: Pick<Environment, 'clock' | 'log'>,
  what: string,
  signal: AbortSignal,
  ask: (again: boolean) => Promise<T>,
): Promise<T | null> {
  return untilTaken(env, what, signal, { mostUnclear: Infinity, carryOut: ask });
}

/**
 * The same for a write: what has to be written also lies in the attempt directory. `write` must be
 * safe to repeat (an upsert, or a compare-and-set that is told `again`: the try before may have landed
 * although no answer came). Throws a `StoreError` 'unfit' for what this database will not take.
 */
export async function untilWritten<T>(
  env: Environment,
  what: string,
  signal: AbortSignal,
  write: (again: boolean) => Promise<T>,
): Promise<T | null> {
  return untilTaken(env, what, signal, { mostUnclear: MOST_UNCLEAR, carryOut: write });
}

async function untilTaken<T>(
  env: Pick<Environment, 'clock' | 'log'>,
  what: string,
  signal: AbortSignal,
  { mostUnclear, carryOut }: { mostUnclear: number; carryOut: (again: boolean) => Promise<T> },
): Promise<T | null> {
  let again = false;
  let unclear = 0;
  let pause = FIRST_PAUSE_SECONDS;
  while (!signal.aborted) {
    try {
      return await carryOut(again);
    } catch (error) {
      if (!isOutage(error)) throw error;
      again = true;
      unclear = error.kind === 'unclear' ? unclear + 1 : 0;
      if (unclear >= mostUnclear) throw new StoreError('unfit', error.message, error);
      if (pause === FIRST_PAUSE_SECONDS) {
        env.log.warn(
          { event: 'database.waiting', what, problem: error.message },
          `waiting for the database to answer for ${what}: ${error.message}`,
        );
      }
    }
    await env.clock.sleep(pause, signal);
    pause = Math.min(LONGEST_PAUSE_SECONDS, pause * 2);
  }
  return null;
}

/** Does something that is tried again later by its nature: what the database refuses is left out. */
export async function unlessOutage<T>(
  env: Environment,
  what: string,
  work: () => Promise<T>,
): Promise<T | null> {
  try {
    return await work();
  } catch (error) {
    if (!isOfDatabase(error)) throw error;
    const fields = { event: 'database.left_out', what, problem: error.message };
    if (isUnfit(error)) env.log.warn(fields, `left out: ${what}: ${error.message}`);
    else env.log.debug(fields, `missed: ${what}`);
    return null;
  }
}

/**
 * Does one part of many: what the database refuses of it is left out, and the other parts are done.
 * Throws when the database is away, and they would be left out as well.
 */
export async function unlessRefused(
  env: Pick<Environment, 'log'>,
  what: string,
  work: () => Promise<unknown>,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!isOfDatabase(error) || error.kind === 'unreachable') throw error;
    const level = isUnfit(error) ? 'warn' : 'debug';
    env.log[level](
      { event: 'database.left_out', what, problem: error.message },
      `left out: ${what}: ${error.message}; it is tried again`,
    );
  }
}

/** Which document, and the number that it has. */
export type RunReference = Pick<Seen, 'id' | 'number'>;

/**
 * Does something about one run. What the database refuses of it concerns that run alone: it is told
 * once, and the run is left alone for a while. Null then, and while it is left alone. Throws when the
 * database is away.
 */
export async function aboutOneRun<T>(
  env: Environment,
  run: RunReference,
  work: () => Promise<T>,
): Promise<T | null> {
  if (env.left.isLeft(run.id)) return null;
  try {
    return await work();
  } catch (error) {
    if (!isOfDatabase(error) || (error.kind !== 'unfit' && error.kind !== 'unclear')) throw error;
    await leaveAlone(env, run, error);
    return null;
  }
}

/** Nothing is done about a run for a while, since the database refuses it; people are told once. */
export async function leaveAlone(
  env: Environment,
  run: RunReference,
  error: StoreError,
): Promise<void> {
  const label = runLabel(run);
  const { seconds, first } = env.left.leave(run.id, label, error);
  const fields = { event: 'run.left', run: run.number, problem: error.message };
  const message = `${label} is left as it is: the database refuses what has to be written about it (${error.message}). Look at its document; it is tried again in ${seconds} s`;
  env.log[first ? 'error' : 'debug'](fields, message);
  if (first) await tellDaq(env, 'error', message, run.number);
}
