import type { Environment } from '../ports/environment.ts';
import { unlessOutage, untilWritten } from '../ports/persist.ts';

/** Asks for the deletion of a done run's live data, if it is to be deleted here at all. */
export async function requestDeletion(
  env: Environment,
  run: number,
  attempt: string,
  signal: AbortSignal,
): Promise<void> {
  if (env.deletion === null) return;
  const what = `the deletion of the live data of run ${run}`;
  // Where it cannot be asked for, the live data stays.
  await unlessOutage(env, what, () =>
    untilWritten(env, what, signal, () =>
      env.store.deletions.request({ attempt, run, host: env.host }),
    ),
  );
}
