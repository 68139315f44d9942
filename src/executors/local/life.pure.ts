import type { ProcessIdentity } from '../../infra/linux/process-identity.pure.ts';

/** A guardian that was requested writes `started.json` within this time. */
export const BEGIN_SECONDS = 10;

/** What is known of the processes of an attempt on one machine, and how to look. */
export interface LocalTrace {
  guardian: ProcessIdentity | null;
  child: ProcessIdentity | null;
  isAlive: (process: ProcessIdentity) => boolean;
  /** Somebody has the attempt's log open to write to it. */
  isLogWritten: () => boolean;
  /** Since it was first looked for. */
  waitedSeconds: number;
  /** Its processes have been ended. */
  isEnded: boolean;
}

/** Whether an attempt on one machine runs, may still begin, or is over. */
export function lifeOf(trace: LocalTrace): 'waiting' | 'running' | 'gone' {
  const { guardian, child, isAlive, isLogWritten, waitedSeconds, isEnded } = trace;
  // The guardian may die alone: as long as the child lives, there is something to wait for.
  for (const known of [guardian, child]) {
    if (known !== null && isAlive(known)) return 'running';
  }
  if (child !== null) return 'gone';
  if (isLogWritten()) return 'running';
  const mayBegin = guardian === null && !isEnded && waitedSeconds <= BEGIN_SECONDS;
  return mayBegin ? 'waiting' : 'gone';
}
