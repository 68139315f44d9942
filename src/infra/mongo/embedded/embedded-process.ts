import { readdirSync, readFileSync } from 'node:fs';

import type { ProcessIdentity } from '../../linux/process-identity.pure.ts';

/** The identity of a process that runs now; null if there is none or it is a zombie. */
export function identify(pid: number): ProcessIdentity | null {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return null;
  }
  // The program's name, in parentheses, may itself contain blanks and parentheses.
  const [state, ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (state === 'Z' || state === 'X') return null;
  const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  // Field 22 of proc(5); the state is field 3.
  return { pid, startTicks: Number(rest[18]), bootId };
}

export function isAlive(identity: ProcessIdentity): boolean {
  const now = identify(identity.pid);
  return now?.startTicks === identity.startTicks && now.bootId === identity.bootId;
}

/** Signals the process only if it still is the one meant. */
export function signal(identity: ProcessIdentity, name: NodeJS.Signals): void {
  if (!isAlive(identity)) return;
  try {
    process.kill(identity.pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Running processes whose command line contains these arguments one after the other. */
export function withArguments(...wanted: string[]): { pid: number; arguments: string[] }[] {
  const found: { pid: number; arguments: string[] }[] = [];
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    let line: string[];
    try {
      line = readFileSync(`/proc/${name}/cmdline`, 'utf8').split('\0');
    } catch {
      continue;
    }
    const at = line.indexOf(wanted[0]!);
    if (at < 0 || wanted.some((argument, i) => line[at + i] !== argument)) continue;
    found.push({ pid: Number(name), arguments: line });
  }
  return found;
}
