import { randomBytes } from 'node:crypto';
import type { Logger } from 'pino';

import { selfIdentity } from '../infra/linux/process-identity.ts';
import { ManagerRefused } from './exclusion-refusal.ts';
import { listenInFolder } from './folder-socket.ts';
import { takeFolder } from './folder-takeover.ts';
import { claimOfFolder, type FolderHolder, type Holder } from './holder.pure.ts';
import { foreignFolder } from './host-name.pure.ts';
import { machineMark, pidNamespace } from './machine-mark.ts';
import { acquireMachineLock, type LockOptions, type MachineKey } from './manager-lock.ts';
import { type FolderRecord, keepFolderRecord, ownerOfFolder, recordFor } from './state-folder.ts';

/** Locks on this machine that make this the only manager of a host: its state folder and its sockets. */
export interface LocalLock {
  holder: Holder;
  record: FolderRecord;
  release(): Promise<void>;
}

export interface LocalLockOptions extends Pick<LockOptions, 'onControl' | 'onEnd'> {
  key: MachineKey;
  /** Whether the manager that has the folder uses the same database as this one. */
  worksOnOurs: (earlier: FolderHolder) => Promise<boolean>;
  logger: Logger;
}

/**
 * Locks the state folder and listens there. Replaces an earlier manager of the same host and database.
 * Throws a `ManagerRefused` if another manager may not, or cannot, be replaced.
 */
export async function takeLocalLock(options: LocalLockOptions): Promise<LocalLock> {
  const { key, worksOnOurs, logger, onControl, onEnd } = options;
  const { host, stateDir } = key;
  await refuseForeignFolder(key);
  const self = describeSelf(key);
  const { lock, replaced } = await takeFolder(stateDir, {
    mayReplace: async (earlier) => {
      const claim = claimOfFolder(earlier, self);
      if (claim.kind === 'refused') throw new ManagerRefused(claim.reason);
      if (claim.kind === 'replace' || (await worksOnOurs(earlier))) return;
      throw new ManagerRefused(
        `the state folder ${stateDir} is in use by a manager of ${earlier.host} (pid ${earlier.pid}) whose URL names other servers, and its heartbeat does not appear in the database of this manager: stop it first, or give this one a state folder of its own (BOOTSTRAX_STATE_DIR)`,
      );
    },
  });
  const opened: (() => Promise<void> | void)[] = [() => lock.release()];
  const release = async () => {
    for (const close of opened.splice(0).reverse()) await close();
  };
  const tellReplaced = (pid: number | null, how: string) =>
    logger.info(
      { event: 'manager.replaced', pid, how },
      `replaced an earlier manager of ${host} (${pid === null ? '' : `pid ${pid}, `}${how}); its children go on`,
    );
  try {
    // The command `adopt` may have changed its owner before the lock was ours.
    await refuseForeignFolder(key);
    const record = await recordFor(stateDir, { host, machine: machineMark() });
    await keepFolderRecord(stateDir, record);
    const holder = { ...self, state_folder: record.id };
    lock.describe(holder);
    const socket = await listenInFolder(stateDir, { onControl, onEnd });
    opened.push(() => socket.close());
    if (replaced !== null) tellReplaced(replaced.pid, replaced.how);
    const older = await acquireMachineLock(key, { onControl, onEnd });
    opened.push(() => older.release());
    if (older.replaced !== null) {
      tellReplaced(older.replaced.holder?.pid ?? null, older.replaced.how);
    }
    const { runs_database: _database, servers_hash: _servers, ...shown } = holder;
    return { holder: shown, record, release };
  } catch (error) {
    await release();
    throw error;
  }
}

async function refuseForeignFolder({ host, stateDir }: MachineKey): Promise<void> {
  const owner = await ownerOfFolder(stateDir);
  if (owner === null || owner.host === host) return;
  throw new ManagerRefused(foreignFolder(owner.host, { name: host, stateDir }));
}

function describeSelf({ host, stateDir, runsDatabase, serversHash }: MachineKey): FolderHolder {
  const { pid, startTicks, bootId } = selfIdentity();
  return {
    instance: randomBytes(12).toString('hex'),
    host,
    state_dir: stateDir,
    // Filled in once the folder is locked.
    state_folder: '',
    pid,
    start_ticks: startTicks,
    boot_id: bootId,
    pid_namespace: pidNamespace(),
    machine: machineMark().name,
    runs_database: runsDatabase,
    servers_hash: serversHash,
  };
}
