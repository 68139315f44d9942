import type { Executor, Readiness } from '../../executors/executor.ts';
import type { Environment } from '../../ports/environment.ts';

type Worker = Pick<Executor, 'ready' | 'startsAtOnce' | 'onChange'>;

/** A worker tells when it is up, but not that it takes too long: looked at again after so long, seconds. */
const LOOK_SECONDS = 10;

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
    await clock.sleep(LOOK_SECONDS, AbortSignal.any([changed.signal, stopped]));
    stopListening();
  }
  return { ok: true };
}
