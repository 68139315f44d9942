import type { Settings } from '../config/entries.ts';
import type { ControlRequest, ControlResponse } from '../machine/lock.ts';

/** How long the manager may take to answer, seconds. */
const ANSWER_SECONDS = 30;

/** Asks the manager of these settings on this machine, if one runs. */
export async function askManagerOf(
  { database, host, paths }: Settings,
  request: ControlRequest,
): Promise<ControlResponse | 'no manager'> {
  if (database.url === null) return 'no manager';
  const { askManager, machineKey } = await import('../machine/lock.ts');
  const key = machineKey({
    host: host.name,
    runsUrl: database.url,
    runsDatabase: database.runsDb,
    stateDir: paths.stateDir,
  });
  return askManager(key, request, ANSWER_SECONDS);
}
