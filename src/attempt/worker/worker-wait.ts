import type { Executor, Readiness } from '../../executors/executor.ts';
import type { Environment } from '../../ports/environment.ts';

type Worker = Pick<Executor, 'ready' | 'startsAtOnce' | 'onChange'>;

/** A worker reports when it is up, but not that it takes too long: that is checked at this interval. */
const CHECK_SECONDS = 10;

/** Waits until the worker can start attempts at once, or cannot start any, or `stopped` is aborted. */
export async function workerIsUp(
  { executor, clock }: Pick<Environment, 'clock'> & { executor: Worker },
  stopped: AbortSignal,
): Promise<Readiness> {
  while (!stopped.aborted && !executor.startsAtOnce()) {
    const ready = executor.ready();
    if (!ready.ok) return ready;
    const changed = new AbortController();
    const stopListening = executor.onChange(() => changed.abort());
    await clock.sleep(CHECK_SECONDS, AbortSignal.any([changed.signal, stopped]));
    stopListening();
  }
  return { ok: true };
}
