import { lstat, readdir, realpath } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';

import { processesWithOpen } from '../../infra/linux/open-files.ts';
import { survey } from './folder-listing.ts';
import type { FolderActivity, FolderAt } from './ownership.pure.ts';
import { readWord } from './ownership.ts';
import { parseFolderName, placeOf, type StraxFolder } from './strax-folder.ts';

/** A folder of a run in the output folder. */
export interface Leftover extends StraxFolder, FolderAt {
  /** Absolute path of the folder itself. */
  path: string;
  /** It carries the name under which release 0.1.1 removed it: that was cut. */
  condemned: boolean;
  /** Tells it from another folder that has come to the same path. */
  inode: bigint;
}

/** Folders of a run in the output folder, and what each says of who made it. */
export async function leftoversOf(outputDirectory: string, runId: string): Promise<Leftover[]> {
  const output = resolve(outputDirectory);
  const found: Leftover[] = [];
  for (const entry of await readdir(output, { withFileTypes: true })) {
    const folder = parseFolderName(entry.name);
    if (folder?.runId !== runId || !entry.isDirectory()) continue;
    const path = join(output, entry.name);
    const leftover = await leftoverAt(path);
    if (leftover !== null) found.push(leftover);
  }
  return found.sort((a, b) => a.path.localeCompare(b.path));
}

/** One folder as it is now, for who knows its path; null if there is none. */
export async function leftoverAt(path: string): Promise<Leftover | null> {
  const folder = parseFolderName(basename(path));
  const inode = await inodeOf(path);
  if (folder === null || inode === null) return null;
  return { ...folder, ...placeOf(path), path, inode, word: await readWord(path) };
}

/** When anything in a folder was changed last, and which processes have it open. */
export async function activityIn(path: string): Promise<FolderActivity> {
  const { lastMs } = await survey(path);
  // The kernel tells descriptors by paths without links.
  const real = await realpath(path).catch(() => path);
  return { newestMs: lastMs, openBy: processesWithOpen(real) };
}

/** Throws on a path that is not exactly `<output>/<runId>-<type>-<hash>[_temp]` or is no real folder. */
export async function checkRemovable(output: string, runId: string, path: string): Promise<void> {
  const refuse = (why: string): never => {
    throw new Error(`refusing to remove ${path} (run ${runId}): ${why}`);
  };
  if (resolve(path) !== path || dirname(path) !== output) {
    refuse(`it does not lie directly in the output folder ${output}`);
  }
  if (parseFolderName(basename(path))?.runId !== runId) {
    refuse('its name is not that of a strax folder of this run');
  }
  if ((await kindOf(path)) === 'other') refuse('it is a link or a file, not a folder');
}

/** Is there anything of this name? Throws if the disk does not answer. */
export async function isThere(path: string): Promise<boolean> {
  return (await kindOf(path)) !== 'missing';
}

async function kindOf(path: string): Promise<'missing' | 'folder' | 'other'> {
  try {
    return (await lstat(path)).isDirectory() ? 'folder' : 'other';
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return 'missing';
    throw error;
  }
}

/** Null if there is nothing. */
export async function inodeOf(path: string): Promise<bigint | null> {
  try {
    return (await lstat(path, { bigint: true })).ino;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
