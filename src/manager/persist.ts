import { StoreError } from '../store/errors.ts';
import type { Environment } from './environment.ts';

const FIRST_PAUSE_SECONDS = 0.5;
const LONGEST_PAUSE_SECONDS = 10;

/** Whether an error says that the database is away for now, which is never an internal error. */
export function isOutage(error: unknown): error is StoreError {
  return error instanceof StoreError && error.kind !== 'refused';
}

/**
 * Repeats a write until the database has answered, however long the outage: what has to be written
 * also lies in the attempt directory. `write` must be safe to repeat (an upsert, or a compare-and-set
 * that is told `again`: the try before may have landed although no answer came).
 * Ends with null when `signal` is aborted. Throws what is not an outage.
 */
export async function untilAnswered<T>(
  env: Environment,
  what: string,
  signal: AbortSignal,
  write: (again: boolean) => Promise<T>,
): Promise<T | null> {
  let again = false;
  let pause = FIRST_PAUSE_SECONDS;
  while (!signal.aborted) {
    try {
      return await write(again);
    } catch (error) {
      if (!isOutage(error)) throw error;
      again = true;
      if (pause === FIRST_PAUSE_SECONDS) {
        env.log.warn(
          { event: 'database.waiting', what, problem: error.message },
          `waiting for the database to write ${what}: ${error.message}`,
        );
      }
    }
    await env.clock.sleep(pause, signal);
    pause = Math.min(LONGEST_PAUSE_SECONDS, pause * 2);
  }
  return null;
}

/** Runs something that may fail with the database away and is tried again later by its nature. */
export async function unlessOutage<T>(
  env: Environment,
  what: string,
  work: () => Promise<T>,
): Promise<T | null> {
  try {
    return await work();
  } catch (error) {
    if (!isOutage(error)) throw error;
    env.log.debug({ event: 'database.left_out', what, problem: error.message }, `missed: ${what}`);
    return null;
  }
}
