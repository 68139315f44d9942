import { existsSync } from 'node:fs';

import {
  TWO_MANAGERS_TODO,
  twoManagers,
  twoManagersText,
} from '../../../exclusion/two-managers.pure.ts';
import type { Loaded } from '../../../infra/config/load-config.ts';
import type { Store } from '../../../ports/store.ts';
import type { Finding } from './doctor-finding.ts';

/** Two managers send a heartbeat every 9 s each. */
const HEARTBEATS_SECONDS = 60;

/** Whether the state folder can be locked, and whose it is. Makes no folder. */
export async function checkStateFolder({ settings, hostWarning }: Loaded): Promise<Finding[]> {
  const check = 'state folder';
  const { stateDir } = settings.paths;
  const { name } = settings.host;
  if (!existsSync(stateDir)) return [];
  const { ownerOfFolder } = await import('../../../exclusion/state-folder.ts');
  const { foreignFolder } = await import('../../../exclusion/host-name.pure.ts');
  const { readFolderHolder, tryLockFolder } = await import('../../../exclusion/folder-lock.ts');
  const problem = (says: string, todo: string): Finding[] => [
    { check, state: 'problem', says, todo },
  ];
  try {
    const owner = await ownerOfFolder(stateDir);
    if (owner !== null && owner.host !== name) {
      return problem(
        foreignFolder(owner.host, { name, stateDir }),
        'set BOOTSTRAX_STATE_DIR or BOOTSTRAX_HOST, or use bootstrax adopt',
      );
    }
    const lock = tryLockFolder(stateDir);
    lock?.release();
    const holder = lock === null ? readFolderHolder(stateDir) : null;
    const user = holder === null ? '' : `; in use by its manager (pid ${holder.pid})`;
    const locked: Finding = { check, state: 'ok', says: `can be locked${user}`, todo: null };
    if (hostWarning === null) return [locked];
    return [
      locked,
      {
        check: 'host name',
        state: 'warn',
        says: hostWarning,
        todo: 'see /etc/hosts and the name server',
      },
    ];
  } catch (error) {
    return problem(
      error instanceof Error ? error.message : String(error),
      'a manager does not start until that is corrected',
    );
  }
}

/** Whether one manager alone writes under this host's name. */
export async function checkOneManager(store: Store, host: string): Promise<Finding> {
  const check = 'one manager';
  const signs = await store.ebMonitor.writers(host, HEARTBEATS_SECONDS);
  const two = twoManagers(
    signs.map(({ time, instance, pid }) => ({
      atMs: time.getTime(),
      writer: instance === null ? `pid ${pid}, release 0.1.0` : `pid ${pid}, instance ${instance}`,
    })),
  );
  if (two === null) {
    return { check, state: 'ok', says: `no second manager writes as ${host}`, todo: null };
  }
  return { check, state: 'problem', says: twoManagersText(host, two), todo: TWO_MANAGERS_TODO };
}
