import { readFileSync } from 'node:fs';

import type { ProcessIdentity } from './process-identity.pure.ts';

/** The fields of /proc/PID/stat by which processes differ. */
export interface ProcessStat {
  pid: number;
  /** One letter, as in proc(5): R, S, D, T, Z, X ... */
  state: string;
  parent: number;
  processGroup: number;
  session: number;
  /** Clock ticks since boot. */
  startTicks: number;
}

let thisBoot: string | null = null;

/** The kernel's id of this boot: a start time means nothing without it. */
export function bootId(): string {
  thisBoot ??= readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  return thisBoot;
}

/** What /proc says of a process now, or null if there is none (or it is not to be seen). */
export function processStat(pid: number): ProcessStat | null {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return null;
  }
  // The second field is the program's name in parentheses and may itself hold blanks and parentheses.
  const rest = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return {
    pid,
    state: rest[0] ?? '?',
    parent: Number(rest[1]),
    processGroup: Number(rest[2]),
    session: Number(rest[3]),
    startTicks: Number(rest[19]),
  };
}

/** Whether a process is only an entry in the table that its parent has not read yet. */
export function isZombie(stat: ProcessStat): boolean {
  return stat.state === 'Z' || stat.state === 'X' || stat.state === 'x';
}

/** The identity of a process that runs now; null if there is none or it is a zombie. */
export function identityOf(pid: number): ProcessIdentity | null {
  const stat = processStat(pid);
  if (stat === null || isZombie(stat)) return null;
  return { pid, startTicks: stat.startTicks, bootId: bootId() };
}

/** The identity of this process. */
export function selfIdentity(): ProcessIdentity {
  const self = identityOf(process.pid);
  if (self === null) throw new Error(`/proc/${process.pid}/stat cannot be read: is /proc mounted?`);
  return self;
}

/** Whether exactly this process still runs: same pid, start time and boot, and not a zombie. */
export function isAlive(identity: ProcessIdentity): boolean {
  if (identity.bootId !== bootId()) return false;
  return identityOf(identity.pid)?.startTicks === identity.startTicks;
}

/** Signals the process only if it still is the one meant. */
export function signalProcess(identity: ProcessIdentity, signal: NodeJS.Signals): void {
  if (!isAlive(identity)) return;
  try {
    process.kill(identity.pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
