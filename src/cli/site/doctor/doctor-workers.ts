import { readFile } from 'node:fs/promises';

import { type ServerOnDisk, serversOnDisk } from '../../../attempt/worker/servers-on-disk.ts';
import type { Settings } from '../../../infra/config/entries.ts';
import { workersPath } from '../../../infra/config/paths.ts';
import { bytes } from '../../framework/output.ts';
import type { Finding } from './doctor-finding.ts';

const STATES: Record<ServerOnDisk['state'], string> = {
  starting: 'warms up',
  ready: 'takes attempts',
  retired: 'takes no attempts any more, and ends once those it has started have ended',
};

/** The warm workers of this state folder and what they hold in memory, most of it shared with attempts. */
export async function checkWorkers({ paths }: Settings): Promise<Finding> {
  const servers = serversOnDisk(workersPath(paths.stateDir));
  const said = await Promise.all(
    servers.map(async ({ identity: { pid }, state }) => {
      const resident = await residentBytes(pid);
      const memory = resident === null ? '' : ` (${bytes(resident)})`;
      return `pid ${pid}${memory} ${STATES[state]}`;
    }),
  );
  const says = said.length === 0 ? 'none runs' : said.join('; ');
  return { check: 'warm worker', state: 'ok', says, todo: null };
}

async function residentBytes(pid: number): Promise<number | null> {
  const text = await readFile(`/proc/${pid}/status`, 'latin1').catch(() => '');
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(text)?.[1];
  return kilobytes === undefined ? null : Number(kilobytes) * 1024;
}
