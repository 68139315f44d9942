import type { Holder } from '../../exclusion/holder.pure.ts';
import type { ControlRequest, ControlResponse } from '../../exclusion/manager-lock.ts';
import { connectionOf } from '../../infra/config/connection.ts';
import type { Settings } from '../../infra/config/entries.ts';
import { CommandFailure } from './command-failure.ts';

/** The manager has this time to answer. */
const ANSWER_SECONDS = 30;

/**
 * Asks the manager of these settings on this machine, if one runs. Fails if a manager of another host
 * or database has the state folder: what it holds is nobody else's.
 */
export async function askManagerOf(
  settings: Settings,
  request: ControlRequest,
): Promise<ControlResponse | 'no manager'> {
  const { database, host, paths } = settings;
  if (database.url === null) return noManager(paths.stateDir);
  const { askManager, machineKey } = await import('../../exclusion/manager-lock.ts');
  const key = machineKey({
    host: host.name,
    runsUrl: database.url,
    runsDatabase: database.runsDb,
    stateDir: paths.stateDir,
  });
  const sameDatabase = (manager: Holder) => worksOnOurs(manager, settings);
  const answer = await askManager(key, request, ANSWER_SECONDS, sameDatabase);
  return answer === 'no manager' ? noManager(paths.stateDir) : answer;
}

async function noManager(stateDir: string): Promise<'no manager'> {
  const { readFolderHolder, tryLockFolder } = await import('../../exclusion/folder-lock.ts');
  const holder = readFolderHolder(stateDir);
  if (holder === null) return 'no manager';
  const lock = tryLockFolder(stateDir);
  if (lock !== null) {
    lock.release();
    return 'no manager';
  }
  throw new CommandFailure(
    1,
    `the state folder ${stateDir} is in use by a manager of ${holder.host} (pid ${holder.pid}, runs database ${holder.runs_database}) that is not the one asked for, or is only starting: see BOOTSTRAX_HOST, BOOTSTRAX_MONGO_URL, BOOTSTRAX_STATE_DIR`,
  );
}

/** Its URL spells the servers otherwise: only the database itself shows whether it is the same. */
async function worksOnOurs(manager: Holder, settings: Settings): Promise<boolean> {
  const connection = connectionOf(settings);
  if (connection === null) return false;
  const { worksOnDatabase } = await import('../../exclusion/same-database.ts');
  const { openStore } = await import('../../database/open.ts');
  const store = openStore(connection, () => undefined);
  try {
    return await worksOnDatabase(manager, store.hosts);
  } finally {
    await store.close();
  }
}
