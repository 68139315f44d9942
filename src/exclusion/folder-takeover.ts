import { monotonicMs, systemClock } from '../infra/clock/clock.ts';
import { bootId, isAlive } from '../infra/linux/process-identity.ts';
import { ManagerRefused } from './exclusion-refusal.ts';
import {
  type FolderLock,
  hasLockFileOpen,
  readFolderHolder,
  tryLockFolder,
} from './folder-lock.ts';
import { askFolder } from './folder-socket.ts';
import { type FolderHolder, processOf } from './holder.pure.ts';
import { pidNamespace } from './machine-mark.ts';

const RETRY_SECONDS = 0.05;
/** How long the holder of a lock may take to write its name into the lock file. */
const INTRODUCTION_SECONDS = 3;
/** How long the lock of a killed process may take to become free. */
const KILL_LIMIT_SECONDS = 5;
/** Several managers started at once stop one another; the last one stays. */
const MAX_ROUNDS = 10;

/** The manager that was stopped for this lock. */
export interface ReplacedManager {
  pid: number | null;
  how: 'ended' | 'killed';
}

export interface TakeoverOptions {
  /** Throws a `ManagerRefused` if this holder may not be stopped. */
  mayReplace: (holder: FolderHolder) => Promise<void>;
  /** How long the holder may take to end before it is killed, seconds; 3. */
  graceSeconds?: number;
}

/**
 * Locks a state folder; a manager that has it is asked to end, and killed after `graceSeconds` where
 * its process can be seen. Throws a `ManagerRefused` if the lock cannot be had.
 */
export async function takeFolder(
  stateDir: string,
  { mayReplace, graceSeconds = 3 }: TakeoverOptions,
): Promise<{ lock: FolderLock; replaced: ReplacedManager | null }> {
  let replaced: ReplacedManager | null = null;
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const found = await lockOrHolder(stateDir);
    if (found.kind === 'locked') return { lock: found.lock, replaced };
    if (found.holder === null) throw new ManagerRefused(unknownHolder(stateDir));
    await mayReplace(found.holder);
    const { holder } = found;
    // The answer does not matter, only whether the manager ends; a suspended process answers nothing.
    const asked = askFolder(stateDir, { type: 'end' }, graceSeconds).catch(() => null);
    const ended = await lockWithin(stateDir, graceSeconds);
    if (ended !== null) return { lock: ended, replaced: { pid: holder.pid, how: 'ended' } };
    await asked;
    // The lock may have gone to a third instance meanwhile: that one is asked first.
    if (readFolderHolder(stateDir)?.instance !== holder.instance) continue;
    kill(holder, stateDir);
    replaced = { pid: holder.pid, how: 'killed' };
    const killed = await lockWithin(stateDir, KILL_LIMIT_SECONDS);
    if (killed !== null) return { lock: killed, replaced };
    if (isAlive(processOf(holder))) throw new ManagerRefused(undead(holder));
  }
  throw new ManagerRefused(
    `other managers keep starting in the state folder ${stateDir}: stop all but one`,
  );
}

type Found = { kind: 'locked'; lock: FolderLock } | { kind: 'held'; holder: FolderHolder | null };

/** A new holder takes a moment to write its name; until then the lock file names an earlier one. */
async function lockOrHolder(stateDir: string): Promise<Found> {
  const limit = monotonicMs(systemClock) + INTRODUCTION_SECONDS * 1000;
  for (;;) {
    const lock = tryLockFolder(stateDir);
    if (lock !== null) return { kind: 'locked', lock };
    const holder = readFolderHolder(stateDir);
    if (holder !== null && !isGone(holder)) return { kind: 'held', holder };
    if (monotonicMs(systemClock) > limit) return { kind: 'held', holder: null };
    await systemClock.sleep(RETRY_SECONDS);
  }
}

/** True if this manager certainly has the lock no longer. */
function isGone(holder: FolderHolder): boolean {
  const isSeen = holder.boot_id === bootId() && holder.pid_namespace === pidNamespace();
  return isSeen && !isAlive(processOf(holder));
}

async function lockWithin(stateDir: string, seconds: number): Promise<FolderLock | null> {
  const limit = monotonicMs(systemClock) + seconds * 1000;
  for (;;) {
    const lock = tryLockFolder(stateDir);
    if (lock !== null || monotonicMs(systemClock) > limit) return lock;
    await systemClock.sleep(RETRY_SECONDS);
  }
}

/** Kills only a process that can be seen from here and has the lock file of this folder open. */
function kill(holder: FolderHolder, stateDir: string): void {
  if (holder.pid_namespace !== pidNamespace()) {
    throw new ManagerRefused(
      `another manager of ${holder.host} uses the state folder ${stateDir} and did not stop when asked; it runs in another pid name space (a container?) and cannot be killed from here: stop it there`,
    );
  }
  if (!isAlive(processOf(holder))) return;
  if (!hasLockFileOpen(holder.pid, stateDir)) throw new ManagerRefused(undead(holder));
  try {
    process.kill(holder.pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return;
    throw new ManagerRefused(undead(holder), { cause: error });
  }
}

function undead({ host, pid, state_dir: stateDir }: FolderHolder): string {
  return `another manager of ${host} (pid ${pid}) uses the state folder ${stateDir}, did not stop when asked, and this user may not kill it: stop it as its own user; if it waits for a disk or the network, see /proc/${pid}/stack`;
}

function unknownHolder(stateDir: string): string {
  return `the state folder ${stateDir} is locked by an unknown process: find it with 'fuser ${stateDir}/manager.lock' and stop it`;
}
