import { monotonicMs, systemClock } from '../clock/clock.ts';
import { TOO_LATE, within } from '../concurrency/deadline.ts';
import type { StoreEvent } from './connection.port.ts';
import { StoreError, toStoreError } from './store-error.ts';

const RETRY_DELAYS_MS = [100, 400];
const LASTING_PAUSE_SECONDS = 1;

export interface Caller {
  /** One try: answers or throws a `StoreError` within the call timeout. */
  once<T>(operation: string, run: () => Promise<T>): Promise<T>;
  /**
   * For work that takes a server long, and that it continues when called again: calls again until it
   * answers or `limitSeconds` are over. A server that cannot be reached ends it.
   */
  lasting<T>(operation: string, limitSeconds: number, run: () => Promise<T>): Promise<T>;
  /**
   * For what may be done twice without harm: tries again after transient errors, but begins no
   * try after the call timeout.
   */
  repeatable<T>(operation: string, run: () => Promise<T>): Promise<T>;
  /** The wait between two tries. */
  pause(milliseconds: number): Promise<void>;
}

/**
 * The outer timeout around each database call. The driver's own limits are not enough: against a
 * stopped server its calls were seen to hang beyond all of them.
 */
export function createCaller(
  database: 'runs' | 'daq',
  timeoutSeconds: number,
  notify: (event: StoreEvent) => void,
): Caller {
  const refused = new Set<string>();
  const pause = (milliseconds: number) => systemClock.sleep(milliseconds / 1000);

  async function once<T>(
    operation: string,
    run: () => Promise<T>,
    limitSeconds = timeoutSeconds,
  ): Promise<T> {
    const begun = monotonicMs(systemClock);
    const called = (answered: boolean) =>
      notify({
        kind: 'called',
        database,
        seconds: (monotonicMs(systemClock) - begun) / 1000,
        answered,
      });
    const answer = run();
    try {
      const result = await within(systemClock, limitSeconds, answer);
      if (result === TOO_LATE) {
        throw new StoreError(
          'unreachable',
          `${operation} (${database} database): no answer within ${limitSeconds} s`,
          { uncertain: true, transient: true },
        );
      }
      called(true);
      if (refused.delete(operation)) notify({ kind: 'granted', database, operation });
      return result;
    } catch (error) {
      const failure = toStoreError(error, operation, database);
      called(failure.kind !== 'unreachable');
      if (failure.kind === 'unreachable' || failure.kind === 'unclear') {
        notify({ kind: 'missed', database, operation, reason: failure.message });
      }
      if (failure.kind === 'unauthorized' || failure.kind === 'unsupported') {
        refused.add(operation);
        const { kind: refusal, message: reason } = failure;
        notify({ kind: 'refused', database, operation, reason, refusal });
      }
      throw failure;
    }
  }

  async function repeatable<T>(operation: string, run: () => Promise<T>): Promise<T> {
    const begun = monotonicMs(systemClock);
    for (let attempt = 0; ; attempt++) {
      try {
        return await once(operation, run);
      } catch (error) {
        const failure = toStoreError(error, operation, database);
        const wait = RETRY_DELAYS_MS[attempt];
        const spent = (monotonicMs(systemClock) - begun) / 1000;
        if (!failure.transient || wait === undefined || spent >= timeoutSeconds) throw failure;
        await pause(wait);
      }
    }
  }

  async function lasting<T>(
    operation: string,
    limitSeconds: number,
    run: () => Promise<T>,
  ): Promise<T> {
    const begun = monotonicMs(systemClock);
    for (;;) {
      const left = limitSeconds - (monotonicMs(systemClock) - begun) / 1000;
      try {
        return await once(operation, run, left);
      } catch (error) {
        const { transient } = toStoreError(error, operation, database);
        const spent = (monotonicMs(systemClock) - begun) / 1000;
        if (!transient || spent + LASTING_PAUSE_SECONDS >= limitSeconds) throw error;
        await pause(LASTING_PAUSE_SECONDS * 1000);
      }
    }
  }

  return {
    once: (operation, run) => once(operation, run),
    lasting,
    repeatable,
    pause,
  };
}
