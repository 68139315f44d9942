import { randomBytes } from 'node:crypto';
import {
  appendFile,
  mkdir,
  open,
  rename,
  rm,
  rmdir,
  symlink,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { systemClock } from '../clock/clock.ts';
import { crashPoint } from '../crash-points/cut.ts';
import type { DiskStep, FileWrite } from '../crash-points/points.ts';

/**
 * The one place where the manager changes a disk. Each function takes the name of the write, which
 * must be listed in `infra/crash-points/points.ts`, and so has a crash point on each side of it.
 */

/**
 * Writes a file so that after a power cut there is either the whole new one or what was there
 * before: temporary file beside it, forced to disk, renamed, folder forced to disk.
 */
export async function writeFileDurable(
  write: FileWrite,
  path: string,
  content: string | Buffer,
): Promise<void> {
  crashPoint(`${write}:before`);
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    const file = await open(temporary, 'wx', 0o644);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    crashPoint(`${write}:temporary`);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncFolder(dirname(path));
  crashPoint(`${write}:after`);
}

/** Makes a folder, and those above it, unless it is there. */
export async function makeFolder(step: DiskStep, path: string, mode?: number): Promise<void> {
  const how = mode === undefined ? {} : { mode };
  await around(step, () => mkdir(path, { recursive: true, ...how }));
}

/** Makes a link to a folder, on disk when this returns; one that is there already stays. */
export async function linkFolder(step: DiskStep, target: string, path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await around(step, async () => {
    await symlink(target, path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
    await syncFolder(dirname(path));
  });
}

/** Removes a file or a folder with all that is in it; a missing one is no error. */
export async function remove(step: DiskStep, path: string): Promise<void> {
  await around(step, () => rm(path, { recursive: true, force: true }));
}

/** Removes a folder if nothing is in it. */
export async function removeEmptyFolder(step: DiskStep, path: string): Promise<void> {
  await around(step, () =>
    rmdir(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'ENOENT') throw error;
    }),
  );
}

/**
 * Renames, within a folder or from one to another. When this returns, the new name is on disk and the
 * old one is not.
 */
export async function renameDurable(step: DiskStep, from: string, to: string): Promise<void> {
  await around(step, async () => {
    await rename(from, to);
    await syncFolder(dirname(to));
    if (dirname(from) !== dirname(to)) await syncFolder(dirname(from));
  });
}

/**
 * Renames without forcing it to disk, for several renames together: `syncFolders` of both folders does
 * that for all.
 */
export async function renameUnforced(step: DiskStep, from: string, to: string): Promise<void> {
  await around(step, () => rename(from, to));
}

/** Writes what only people read: it may be incomplete after a power cut. */
export async function note(
  step: DiskStep,
  path: string,
  text: string,
  how: 'replace' | 'append',
): Promise<void> {
  await around(step, () => (how === 'append' ? appendFile(path, text) : writeFile(path, text)));
}

/**
 * Replaces what a file holds after its first bytes, in place: another process may be appending to
 * it, and goes on behind what is written here.
 */
export async function replaceEnd(
  step: DiskStep,
  path: string,
  keptBytes: number,
  end: Buffer,
): Promise<void> {
  await around(step, async () => {
    await truncate(path, keptBytes);
    await appendFile(path, end);
  });
}

/** Forces the names in a folder to disk: without it a rename may be undone by a power cut. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** The same for several folders, side by side. */
export async function syncFolders(paths: readonly string[]): Promise<void> {
  await Promise.all([...new Set(paths)].map(syncFolder));
}

/**
 * Shows the child of an attempt that a manager watches over it; due every 10 s. The file need not
 * survive a power cut, since the child would not either.
 */
export async function touchFollowed(directory: string): Promise<void> {
  const path = join(directory, 'followed');
  const now = systemClock.now();
  await around('followed', async () => {
    try {
      await utimes(path, now, now);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      await (await open(path, 'a')).close();
    }
  });
}

/**
 * The same for a child on another machine: by what the file holds, since its times may be seen late
 * there.
 */
export async function countFollowed(directory: string): Promise<void> {
  const text = `${systemClock.now().getTime()}\n`;
  await around('followed', () => writeFile(join(directory, 'followed'), text));
}

async function around(step: DiskStep, work: () => Promise<unknown>): Promise<void> {
  crashPoint(`${step}:before`);
  await work();
  crashPoint(`${step}:after`);
}
