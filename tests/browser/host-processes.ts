import { readdir, readFile } from 'node:fs/promises';

import type { Lab } from '../support/lab.ts';

/** All processes of a host of this laboratory: manager, worker, attempts. */
export async function processesOf(lab: Lab, host: string): Promise<number[]> {
  const mark = `BOOTSTRAX_STATE_DIR=${lab.stateDir(host)}`;
  const pids = (await readdir('/proc')).map(Number).filter((pid) => pid > 0);
  const found = await Promise.all(
    pids.map(async (pid) => {
      const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
      return environment.split('\0').includes(mark) ? [pid] : [];
    }),
  );
  return found.flat();
}

/** As if somebody had pulled the plug: nothing of the host is left, and nothing is said. */
export async function killHost(lab: Lab, host: string): Promise<void> {
  for (const pid of await processesOf(lab, host)) process.kill(pid, 'SIGKILL');
}
