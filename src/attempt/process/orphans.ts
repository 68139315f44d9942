import { executorOf } from '../../executors/executors.ts';
import type { Environment } from '../../ports/environment.ts';
import { readRun } from '../../run/run.pure.ts';
import type { RunDocument } from '../../run/run-document.port.ts';
import type { AttemptFiles } from '../files/attempt-directory.ts';

/** For orphans: the time between TERM and KILL. */
export const ORPHAN_GRACE_SECONDS = 3;

/** Ends what an attempt has left running, whether or not it is known how far it came. */
export async function endProcesses(
  env: Environment,
  files: Pick<AttemptFiles, 'started' | 'plan' | 'directory'> | null,
  attempt: string,
): Promise<void> {
  const { attempts, log, host } = env;
  const { started = null, plan = null } = files ?? {};
  const directory = files?.directory ?? attempts.directoryOf(attempt);
  const reach = await executorOf(env, plan).find({ id: attempt, directory, started });
  if (reach === null) return;
  const end = await reach.end(ORPHAN_GRACE_SECONDS);
  if (end.kind === 'unconfirmed') {
    const message = `${end.left} of attempt ${attempt} on ${host} did not end after KILL`;
    log.error({ event: 'attempt.survivors', attempt, left: end.left }, message);
  }
  await reach.clean();
}

/** Where the run's products on this host lie, as its document says. */
export function listedHere({ host }: Environment, document: RunDocument): string[] {
  return listedOn(host, document);
}

export function listedOn(name: string, document: RunDocument): string[] {
  return readRun(document).data.flatMap(({ host, location }) =>
    host === name && location !== null ? [location] : [],
  );
}
