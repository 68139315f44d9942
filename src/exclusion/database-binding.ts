import { randomBytes } from 'node:crypto';

import { listOpenAttempts, readAttempt } from '../attempt/files/attempt-directory.ts';
import { StoreError, type StoreErrorKind } from '../infra/mongo/store-error.ts';
import type { Environment } from '../ports/environment.ts';
import type { Store } from '../ports/store.ts';
import { bindingOf, type DatabaseIdentity, type OpenAttempts } from './binding.pure.ts';
import { ManagerRefused } from './exclusion-refusal.ts';
import type { MachineKey } from './manager-lock.ts';
import { type FolderRecord, keepFolderRecord } from './state-folder.ts';

/** So many attempts of a folder are looked up: enough to tell whether the database has them. */
const MOST_LOOKED_UP = 50;
/** Errors that do not go away by waiting. */
const FINAL: readonly StoreErrorKind[] = ['unauthorized', 'unsupported', 'unfit'];

type Source = Pick<Store, 'hosts' | 'attempts' | 'hostsCollectionId'>;

/**
 * Binds a state folder to the runs database, which is marked for it. Throws a `ManagerRefused` if the
 * folder has open attempts of another database.
 */
export async function bindDatabase(
  { store, log }: Pick<Environment, 'log'> & { store: Source },
  { stateDir, runsDatabase }: MachineKey,
  servers: string[],
  record: FolderRecord,
): Promise<void> {
  const mark = await store.hosts.readMark();
  const collection = mark === null ? null : await store.hostsCollectionId();
  const seen: DatabaseIdentity = { mark, collection, servers, name: runsDatabase };
  const open = await openAttempts(stateDir, store);
  const binding = bindingOf(record.database, seen, open, stateDir);
  if (binding.kind === 'refused') throw new ManagerRefused(binding.reason);
  if (binding.kind === 'bind' && binding.warning !== null) {
    log.warn({ event: 'state_folder.other_database' }, binding.warning);
  }
  const wanted = binding.kind === 'mark_anew' ? record.database?.mark : null;
  const marked =
    mark ?? (await markDatabase(store, log, wanted ?? randomBytes(12).toString('hex')));
  const database = {
    mark: marked,
    collection: marked === null ? null : (collection ?? (await store.hostsCollectionId())),
    servers,
    name: runsDatabase,
  };
  if (JSON.stringify(database) === JSON.stringify(record.database)) return;
  await keepFolderRecord(stateDir, { ...record, database });
}

async function openAttempts(stateDir: string, { attempts }: Source): Promise<OpenAttempts> {
  const ids = await listOpenAttempts(stateDir);
  const looked = ids.slice(0, MOST_LOOKED_UP);
  const found = await Promise.all(looked.map((id) => attempts.get(id)));
  // A folder without a plan is an attempt that never began.
  const plans = await Promise.all(looked.map((id) => readAttempt(stateDir, id)));
  const begun = plans.filter((files) => files !== null && files.plan !== null).length;
  return {
    count: begun + (ids.length - looked.length),
    known: found.filter((attempt) => attempt !== null).length,
  };
}

/** The new mark; null if this account may not write it. */
async function markDatabase(
  { hosts }: Source,
  log: Environment['log'],
  mark: string,
): Promise<string | null> {
  try {
    return await hosts.mark(mark);
  } catch (error) {
    if (!(error instanceof StoreError) || !FINAL.includes(error.kind)) throw error;
    log.warn(
      { event: 'database.unmarked', problem: error.message },
      `cannot mark the runs database (${error.message}): the state folder knows it by the names of its servers only. Grant insert and update on the collection bootstrax`,
    );
    return null;
  }
}
