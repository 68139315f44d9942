import { askManager, machineKey } from '../exclusion/manager-lock.ts';
import type { Settings } from '../infra/config/entries.ts';

const ANSWER_SECONDS = 2;

/**
 * Tells the manager of a host that something waits for it in the database, if it runs at this
 * machine. Any other finds it by itself, a little later.
 */
export async function wakeManager(
  { database, paths }: Pick<Settings, 'database' | 'paths'>,
  host: string,
): Promise<void> {
  if (database.url === null) return;
  const { runsDb: runsDatabase, url: runsUrl } = database;
  const key = machineKey({ host, runsUrl, runsDatabase, stateDir: paths.stateDir });
  await askManager(key, { type: 'asked' }, ANSWER_SECONDS).catch(() => undefined);
}
