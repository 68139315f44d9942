import { spawnSync } from 'node:child_process';
import {
  closeSync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  type Stats,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';

import { ManagerRefused } from './exclusion-refusal.ts';
import { type FolderHolder, folderHolderSchema } from './holder.pure.ts';

const LOCK_FILE = 'manager.lock';
/** Exit code of flock(1) when another process has the lock. */
const TAKEN = 1;
/** After this time the file system counts as hanging. */
const LIMIT_SECONDS = 10;

/** The lock on a state folder. It is also released when the process ends, in whatever way. */
export interface FolderLock {
  /** Writes into the lock file which manager has the lock. */
  describe(holder: FolderHolder): void;
  release(): void;
}

/**
 * Locks a state folder for this process alone; null if another process has it. The descriptor is
 * opened here, so that the lock lives as long as this process, and no child inherits it. Throws a
 * `ManagerRefused` where folders cannot be locked.
 */
export function tryLockFolder(stateDir: string): FolderLock | null {
  mkdirSync(stateDir, { recursive: true });
  const path = lockFileOf(stateDir);
  // Read and write: over NFS an exclusive lock wants both.
  const descriptor = openSync(path, 'a+', 0o600);
  try {
    if (!lock(descriptor, stateDir)) {
      closeSync(descriptor);
      return null;
    }
    // The file may have been removed in between: then the lock is on a file that no other process finds.
    if (!isSameFile(fstatSync(descriptor), fileAt(path))) {
      closeSync(descriptor);
      return tryLockFolder(stateDir);
    }
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
  let open = true;
  return {
    describe: (holder) => {
      ftruncateSync(descriptor, 0);
      writeSync(descriptor, `${JSON.stringify(holder)}\n`);
    },
    release: () => {
      if (!open) return;
      open = false;
      ftruncateSync(descriptor, 0);
      closeSync(descriptor);
    },
  };
}

function lock(descriptor: number, stateDir: string): boolean {
  const { status, error, stderr } = spawnSync('flock', ['-n', '-x', '3'], {
    stdio: ['ignore', 'ignore', 'pipe', descriptor],
    timeout: LIMIT_SECONDS * 1000,
    encoding: 'utf8',
  });
  if ((error as NodeJS.ErrnoException | undefined)?.code === 'ENOENT') {
    throw new ManagerRefused(
      'the program flock is missing, so two managers could use one state folder: install util-linux',
    );
  }
  if (status === 0) return true;
  if (status === TAKEN) return false;
  const why = error?.message ?? (stderr.trim() || `flock ended with ${status}`);
  throw new ManagerRefused(
    `the state folder ${stateDir} cannot be locked (${why}): its file system has no locks, or does not answer. Choose a local folder (BOOTSTRAX_STATE_DIR)`,
  );
}

/** The manager that has the lock, as it wrote into the lock file; null if nothing is written yet. */
export function readFolderHolder(stateDir: string): FolderHolder | null {
  try {
    return folderHolderSchema.parse(JSON.parse(readFileSync(lockFileOf(stateDir), 'utf8')));
  } catch {
    return null;
  }
}

/** Whether a process has the lock file of a state folder open: only its manager does. */
export function hasLockFileOpen(pid: number, stateDir: string): boolean {
  const file = fileAt(lockFileOf(stateDir));
  if (file === null) return false;
  try {
    return readdirSync(`/proc/${pid}/fd`).some((descriptor) =>
      isSameFile(file, fileAt(`/proc/${pid}/fd/${descriptor}`)),
    );
  } catch {
    return false;
  }
}

function lockFileOf(stateDir: string): string {
  return join(stateDir, LOCK_FILE);
}

function fileAt(path: string): Stats | null {
  try {
    return statSync(path);
  } catch {
    return null;
  }
}

function isSameFile(one: Stats, other: Stats | null): boolean {
  return one.ino === other?.ino && one.dev === other.dev;
}
