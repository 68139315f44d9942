import type { Environment } from '../../ports/environment.ts';
import { tellDaq } from '../../ports/notify.ts';
import type { Fence } from '../../run/run.port.ts';
import type { Run } from '../../run/run.pure.ts';
import { type StraxProcess, toWaitFor, waitText } from './foreign-processes.pure.ts';

/** Between two searches for them. */
const SEARCH_SECONDS = 0.5;
/** A run is not begun beside them, and it is requeued after this time. */
const LIMIT_SECONDS = 600;

export type Waited = { kind: 'free' } | { kind: 'stopped' } | { kind: 'still_there'; why: string };

/**
 * Waits until no process of strax that another manager has left here writes in the run's folders.
 * `waits` is told what is waited for, null at the end.
 */
export async function awaitForeignProcesses(
  env: Environment,
  { run, fence, hostBefore }: { run: Run; fence: Fence; hostBefore: string | null },
  signal: AbortSignal,
  waits: (what: string | null) => void,
): Promise<Waited> {
  const here = {
    ...{ run: run.number, runId: run.runId, attempt: fence.attempt },
    ...{ outputDirectory: env.outputDirectory, liveRoots: env.liveDataRoots },
  };
  const limit = env.clock.monotonicSeconds() + LIMIT_SECONDS;
  /** What each was ever seen to make: files are open for moments only. */
  const known = new Map<number, 'this' | 'other'>();
  let told = false;
  for (;;) {
    const found = env.machine.straxProcesses(here).map((each): StraxProcess => {
      if (each.makes !== null) known.set(each.pid, each.makes);
      return { ...each, makes: known.get(each.pid) ?? null };
    });
    const held =
      found.length === 0
        ? []
        : toWaitFor(found, {
            ...(await env.machine.unfinishedFolders(here)),
            wasHere: hostBefore === env.host,
          });
    if (held.length === 0 || signal.aborted) {
      waits(null);
      return { kind: signal.aborted ? 'stopped' : 'free' };
    }
    const what = waitText(held);
    waits(what);
    if (!told) {
      told = true;
      const message = `run ${run.number} is not begun on ${env.host} yet: it waits for ${what}, for ${LIMIT_SECONDS / 60} min at most`;
      env.log.warn(
        { event: 'attempt.waits', run: run.number, pids: held.map(({ pid }) => pid) },
        message,
      );
      await tellDaq(env, 'warning', message, run.number);
    }
    if (env.clock.monotonicSeconds() > limit) {
      waits(null);
      const why = `after ${LIMIT_SECONDS / 60} min there is still ${what}; look what it does, and end it`;
      await tellDaq(
        env,
        'error',
        `run ${run.number} is not begun on ${env.host}: ${why}`,
        run.number,
      );
      return { kind: 'still_there', why };
    }
    await env.clock.sleep(SEARCH_SECONDS, signal);
  }
}
