import { systemClock } from '../infra/clock/clock.ts';
import { comesTrue } from '../infra/concurrency/comes-true.ts';
import { isAlive } from '../infra/linux/process-identity.ts';
import { hasLockFileOpen, readFolderHolder, tryLockFolder } from './folder-lock.ts';
import { askFolder } from './folder-socket.ts';
import { type Holder, processOf } from './holder.pure.ts';

const POLL_SECONDS = 0.05;
const GRACE_SECONDS = 3;
const KILL_LIMIT_SECONDS = 5;

/** Other managers of this host on this machine, each with a state folder of its own. */
export interface OtherManagers {
  /** Whether exactly this process still runs; only for a manager in this pid name space. */
  isAlive(manager: Holder): boolean;
  /**
   * Asks the manager to end, waits 3 s, then kills it if its process can be seen. `unreachable`: its
   * state folder cannot be seen from here, so it could not be asked.
   */
  end(manager: Holder, canBeSeen: boolean): Promise<'ended' | 'killed' | 'stays' | 'unreachable'>;
}

export const otherManagers: OtherManagers = {
  isAlive: (manager) => isAlive(processOf(manager)),
  end: async (manager, canBeSeen) => {
    const folder = manager.state_dir;
    // The host's document is believed only where the lock file of the folder agrees.
    const isItsFolder = readFolderHolder(folder)?.instance === manager.instance;
    if (!isItsFolder) return 'unreachable';
    const hasEnded = canBeSeen
      ? () => !isAlive(processOf(manager))
      : // No other process has this lock for longer than a moment.
        () => isUnlocked(folder);
    const endsWithin = (withinSeconds: number) =>
      comesTrue(systemClock, { withinSeconds, everySeconds: POLL_SECONDS }, hasEnded);
    await askFolder(folder, { type: 'end' }, GRACE_SECONDS).catch(() => null);
    if (await endsWithin(GRACE_SECONDS)) return 'ended';
    if (!canBeSeen || !hasLockFileOpen(manager.pid, folder)) return 'stays';
    try {
      process.kill(manager.pid, 'SIGKILL');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') return 'stays';
    }
    return (await endsWithin(KILL_LIMIT_SECONDS)) ? 'killed' : 'stays';
  },
};

function isUnlocked(folder: string): boolean {
  const lock = tryLockFolder(folder);
  lock?.release();
  return lock !== null;
}
