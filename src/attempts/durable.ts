import { randomBytes } from 'node:crypto';
import { open, rename, rm, utimes } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

import { crashPoint, crashPointOf } from './crash-point.ts';

/**
 * Writes a file so that after a power cut there is either the whole new one or what was there
 * before: temporary file beside it, forced to disk, renamed, folder forced to disk.
 */
export async function writeFileDurable(path: string, text: string): Promise<void> {
  cut(path, 'before');
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    const file = await open(temporary, 'wx', 0o644);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncFolder(dirname(path));
  cut(path, 'after');
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

/**
 * Tells the child of an attempt that a manager watches over it; due every 10 s. The file need not
 * survive a power cut, since the child would not either.
 */
export async function touchFollowed(directory: string): Promise<void> {
  const path = join(directory, 'followed');
  const now = new Date();
  try {
    await utimes(path, now, now);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    await (await open(path, 'a')).close();
  }
}

function cut(path: string, when: 'before' | 'after'): void {
  const point = crashPointOf(basename(path), when);
  if (point !== null) crashPoint(point);
}
