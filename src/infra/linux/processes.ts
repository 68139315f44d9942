import { readdirSync, readlinkSync, realpathSync } from 'node:fs';

import { monotonicMs, systemClock } from '../clock/clock.ts';
import { comesTrue } from '../concurrency/comes-true.ts';
import type { ProcessIdentity } from './process-identity.pure.ts';
import { bootId, isAlive, isZombie, type ProcessStat, processStat } from './process-identity.ts';
import { descendants } from './process-tree.ts';

/** Pause between two checks of a session that is to end. */
const CHECK_SECONDS = 0.005;
/** How long processes may take to vanish after SIGKILL before this is called a failure. */
const KILL_LIMIT_SECONDS = 5;

/** The processes of one attempt. */
export interface AttemptProcesses {
  /** Leader of the session; writes `exit.json` once the child is gone. */
  guardian: ProcessIdentity;
  /** Runs strax; leader of its own process group. */
  child: ProcessIdentity;
  /**
   * The attempt's log, which its processes have as standard output or error. It proves that a
   * process belongs to the attempt when guardian and child are gone or when it left the session.
   */
  logFile: string;
}

/** What was found and done when a session was ended. */
export interface SessionEnd {
  /** `already_gone`: nothing ran; `terminated`: TERM was enough; `killed`: something needed KILL. */
  kind: 'already_gone' | 'terminated' | 'killed' | 'survived';
  /** Processes sent TERM. */
  terminated: number[];
  /** Processes sent KILL. */
  killed: number[];
  /** Processes still there at the end (in uninterruptible sleep, or another user's). */
  survivors: number[];
  seconds: number;
}

/** All processes that run now, zombies left out. */
export function runningProcesses(): ProcessStat[] {
  const found: ProcessStat[] = [];
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const stat = processStat(Number(name));
    if (stat !== null && !isZombie(stat)) found.push(stat);
  }
  return found;
}

/** Processes of a session, zombies left out. */
export function sessionProcesses(session: number): ProcessStat[] {
  return runningProcesses().filter((stat) => stat.session === session);
}

/**
 * Processes of an attempt that run now: those of its session, as long as that is known to be the
 * attempt's own; what descends from its guardian, to which orphans come back; and those that write
 * to its log, wherever they have gone.
 */
export function attemptProcesses(attempt: AttemptProcesses): ProcessStat[] {
  // The kernel gives a session's number to no new process while the session has members. So with
  // one known member alive the number is certainly this attempt's session.
  const alive = [attempt.guardian, attempt.child].filter(isAlive);
  const known = alive.length > 0;
  const family = new Set(descendants(alive.map(({ pid }) => pid)));
  const session = attempt.guardian.pid;
  const log = realPath(attempt.logFile);
  return runningProcesses().filter(
    (stat) =>
      stat.pid !== process.pid &&
      ((known && stat.session === session) || family.has(stat.pid) || writesTo(stat.pid, log)),
  );
}

/** Processes that have this file as standard output or error. */
export function writersOf(file: string): ProcessStat[] {
  const path = realPath(file);
  return runningProcesses().filter((stat) => writesTo(stat.pid, path));
}

/**
 * Ends all processes of an attempt: TERM to the child's group, up to `graceSeconds` for the whole
 * attempt to end (the guardian writes `exit.json` meanwhile), KILL to what is left of it except the
 * guardian, the same time again for the guardian, KILL to everything. Each process is identified by
 * start time right before each signal. Returns when all are gone, at the latest after twice
 * `graceSeconds` and 5 s.
 */
export async function endSession(
  attempt: AttemptProcesses,
  { graceSeconds = 3 }: { graceSeconds?: number } = {},
): Promise<SessionEnd> {
  const begin = monotonicMs(systemClock);
  const terminated = new Set<number>();
  const killed = new Set<number>();
  let seen: ProcessStat[] = [];
  // Who belonged to the attempt once still does when those by whom it was found are gone.
  const running = () => {
    const now = attemptProcesses(attempt);
    const found = new Set(now.map(({ pid }) => pid));
    seen = [...now, ...seen.filter((stat) => !found.has(stat.pid) && isStill(stat))];
    return seen;
  };
  // Reading all of /proc is expensive: it is done only once the processes seen before are gone.
  const gone = () => !seen.some(isStill) && running().length === 0;
  const withoutGuardian = () => running().filter(({ pid }) => pid !== attempt.guardian.pid);

  const checks = { withinSeconds: graceSeconds, everySeconds: CHECK_SECONDS };
  if (!gone()) {
    for (const stat of withoutGuardian()) {
      if (signal(stat, 'SIGTERM')) terminated.add(stat.pid);
    }
    if (!(await comesTrue(systemClock, checks, gone))) {
      for (const stat of withoutGuardian()) {
        // The guardian needs time to write `exit.json`, and ends by itself once the child is gone.
        if (signal(stat, 'SIGKILL')) killed.add(stat.pid);
      }
      if (!(await comesTrue(systemClock, checks, gone))) {
        await comesTrue(systemClock, { ...checks, withinSeconds: KILL_LIMIT_SECONDS }, () => {
          for (const stat of running()) {
            if (signal(stat, 'SIGKILL')) killed.add(stat.pid);
          }
          return gone();
        });
      }
    }
  }

  // That nothing is left was seen right before, if it was.
  const ends = {
    terminated: [...terminated],
    killed: [...killed],
    survivors: (seen.length === 0 ? seen : running()).map(({ pid }) => pid),
  };
  return { kind: kindOfEnd(ends), ...ends, seconds: (monotonicMs(systemClock) - begin) / 1000 };
}

function kindOfEnd({
  terminated,
  killed,
  survivors,
}: Pick<SessionEnd, 'terminated' | 'killed' | 'survivors'>): SessionEnd['kind'] {
  if (survivors.length > 0) return 'survived';
  if (killed.length > 0) return 'killed';
  return terminated.length > 0 ? 'terminated' : 'already_gone';
}

/** The path as /proc shows it. */
function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

/** Whether standard output or error of a process is this file, even if it was removed meanwhile. */
function writesTo(pid: number, file: string): boolean {
  return [1, 2].some((descriptor) => {
    try {
      const path = readlinkSync(`/proc/${pid}/fd/${descriptor}`);
      return path === file || path === `${file} (deleted)`;
    } catch {
      return false;
    }
  });
}

function isStill(stat: ProcessStat): boolean {
  return isAlive({ pid: stat.pid, startTicks: stat.startTicks, bootId: bootId() });
}

/** Sends a signal to exactly this process; false if it is gone or not ours to signal. */
export function signal(stat: ProcessStat, name: NodeJS.Signals): boolean {
  if (!isStill(stat)) return false;
  try {
    return process.kill(stat.pid, name);
  } catch {
    return false;
  }
}
