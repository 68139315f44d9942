/**
 * Before a run of this host's past is begun: does a process of strax still write in its folders? A
 * file is open for moments only, so that none is seen open proves nothing.
 */

/** A process that runs the reference's script, or a child of a worker of this program. */
export interface StraxProcess {
  pid: number;
  /** A child whose manager is gone: nobody ends it, and it goes on until its run is made. */
  orphan: boolean;
  /** The run that it makes, by the files it was ever seen to have open; null: none was seen yet. */
  makes: 'this' | 'other' | null;
}

/** What lies in the output folder of the run. */
export interface RunFolders {
  /** There are folders that strax has not finished. */
  unfinished: boolean;
  /** The run was on this host before, so that a child that has not begun to write may be at it. */
  wasHere: boolean;
  /** Since anything in those was changed, seconds; null where there are none. */
  quietSeconds: number | null;
}

/** A process whose manager lives is taken for one of another run once nothing has changed for this time. */
export const QUIET_SECONDS = 60;

/** Processes that have to end before the run is begun. */
export function toWaitFor(
  processes: readonly StraxProcess[],
  { unfinished, wasHere, quietSeconds }: RunFolders,
): StraxProcess[] {
  return processes.filter(({ makes, orphan }) => {
    if (makes !== null) return makes === 'this';
    if (orphan) return unfinished || wasHere;
    return unfinished && quietSeconds !== null && quietSeconds < QUIET_SECONDS;
  });
}

/** What is waited for, in one phrase. */
export function waitText(processes: readonly StraxProcess[]): string {
  const pids = processes.map(({ pid }) => pid).slice(0, 10);
  return `${pids.length === 1 ? 'process' : 'processes'} ${pids.join(', ')} of another program, which may still write in its folders`;
}

/**
 * Why a folder that does not say who makes it may be written to, though nobody is seen to: files are
 * open for moments only, and nobody ends a child whose manager is gone. Null if there is none.
 */
export function orphanText(processes: readonly StraxProcess[]): string | null {
  const orphans = processes.filter(({ orphan, makes }) => orphan && makes !== 'other');
  return orphans.length === 0 ? null : `it may be of ${waitText(orphans)}: its manager is gone`;
}
