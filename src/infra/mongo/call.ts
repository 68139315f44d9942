import { setTimeout as delay } from 'node:timers/promises';

import { StoreError, toStoreError } from './store-error.ts';
import type { StoreEvent } from './connection.port.ts';

const RETRY_DELAYS_MS = [100, 400];
const LASTING_PAUSE_SECONDS = 1;

export interface Caller {
  /** One try: answers or throws a `StoreError` within the call time-out. */
  once<T>(operation: string, run: () => Promise<T>): Promise<T>;
  /**
   * For what a server may work at for long, and goes on with where it is asked a second time: asks
   * again until it answers or `limitSeconds` are over. A server that cannot be reached ends it.
   */
  lasting<T>(operation: string, limitSeconds: number, run: () => Promise<T>): Promise<T>;
  /**
   * For what may be done twice without harm: tries again after transient errors, but begins no
   * try after the call time-out is spent.
   */
  repeatable<T>(operation: string, run: () => Promise<T>): Promise<T>;
  /** The wait between two tries. */
  pause(milliseconds: number): Promise<void>;
}

/**
 * The outer time-out around each database call. The driver's own limits are not enough: against a
 * stopped server its calls were seen to hang beyond all of them.
 */
export function createCaller(
  database: 'runs' | 'daq',
  timeoutSeconds: number,
  notify: (event: StoreEvent) => void,
): Caller {
  const refused = new Set<string>();
  const pause = (milliseconds: number): Promise<void> => delay(milliseconds);

  async function once<T>(
    operation: string,
    run: () => Promise<T>,
    limitSeconds = timeoutSeconds,
  ): Promise<T> {
    const begun = performance.now();
    const called = (answered: boolean) =>
      notify({ kind: 'called', database, seconds: (performance.now() - begun) / 1000, answered });
    const timeout = new AbortController();
    const expired = delay(limitSeconds * 1000, undefined, { signal: timeout.signal }).then(() => {
      throw new StoreError(
        'unreachable',
        `${operation} (${database} database): no answer within ${limitSeconds} s`,
        { uncertain: true, transient: true },
      );
    });
    expired.catch(() => undefined);
    const answer = run();
    // The call may still fail long after it was given up on.
    answer.catch(() => undefined);
    try {
      const result = await Promise.race([answer, expired]);
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
    } finally {
      timeout.abort();
    }
  }

  async function repeatable<T>(operation: string, run: () => Promise<T>): Promise<T> {
    const begun = performance.now();
    for (let attempt = 0; ; attempt++) {
      try {
        return await once(operation, run);
      } catch (error) {
        const failure = toStoreError(error, operation, database);
        const wait = RETRY_DELAYS_MS[attempt];
        const spent = (performance.now() - begun) / 1000;
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
    const begun = performance.now();
    for (;;) {
      const left = limitSeconds - (performance.now() - begun) / 1000;
      try {
        return await once(operation, run, left);
      } catch (error) {
        const { transient } = toStoreError(error, operation, database);
        const spent = (performance.now() - begun) / 1000;
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
