import { lstat, readdir } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';

import type { FolderActivity, FolderAt } from './ownership.pure.ts';
import { processesWithOpen } from '../../infra/linux/open-files.ts';
import { remove, renameDurable, syncFolder } from '../../infra/disk/durable.ts';
import { survey } from './folder-listing.ts';
import {
  condemnedName,
  isCondemned,
  parseFolderName,
  placeOf,
  UNFINISHED_SUFFIX,
  type StraxFolder,
} from './strax-folder.ts';
import { isSameWord, readWord } from './ownership.ts';

/** A folder of a run in the output folder. */
export interface Leftover extends StraxFolder, FolderAt {
  /** Absolute path of the folder itself. */
  path: string;
  /** It carries the name of what is being removed: a removal was cut. */
  condemned: boolean;
  /** Tells it from another folder that has come to the same path. */
  inode: bigint;
}

export type Removed =
  | 'removed'
  | 'gone'
  /** What lay there is not what was seen: it has its name again, unless that is taken. */
  | 'changed';

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
  return { newestMs: lastMs, openBy: processesWithOpen(path) };
}

/**
 * Removes one strax folder of a run, if it is still the one that was seen. Under a name of its own
 * first, so that what is being removed is never what somebody has begun to write since; what it says
 * is read there. Throws on a path that is not exactly `<outputDirectory>/<runId>-<type>-<hash>[_temp]`
 * or is no real folder.
 */
export async function removeLeftover(
  outputDirectory: string,
  runId: string,
  seen: Pick<Leftover, 'path' | 'word' | 'inode'>,
): Promise<Removed> {
  const output = resolve(outputDirectory);
  const { path } = seen;
  await checkRemovable(output, runId, path);
  if ((await kindOf(path)) === 'missing') return 'gone';
  const doomed = isCondemned(path) ? path : condemnedName(path);
  if (doomed !== path) {
    try {
      await renameDurable('leftover.rename', path, doomed);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'gone';
      throw error;
    }
  }
  if ((await inodeOf(doomed)) !== seen.inode || !isSameWord(await readWord(doomed), seen.word)) {
    await putBack(output, runId, doomed);
    return 'changed';
  }
  await remove('leftover.remove', doomed);
  // What is noted next may rest on its being gone for good.
  await syncFolder(output);
  return 'removed';
}

/** Gives a folder whose removal was cut its name again; false if that is taken by now. */
export async function putBack(
  outputDirectory: string,
  runId: string,
  path: string,
): Promise<boolean> {
  await checkRemovable(resolve(outputDirectory), runId, path);
  const { location, unfinished } = placeOf(path);
  try {
    // Onto a folder that is not empty this fails: nothing is ever replaced.
    await renameDurable(
      'leftover.put_back',
      path,
      unfinished ? `${location}${UNFINISHED_SUFFIX}` : location,
    );
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOTEMPTY' || code === 'EEXIST' || code === 'ENOENT') return false;
    throw error;
  }
}

async function checkRemovable(output: string, runId: string, path: string): Promise<void> {
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

async function kindOf(path: string): Promise<'missing' | 'folder' | 'other'> {
  try {
    return (await lstat(path)).isDirectory() ? 'folder' : 'other';
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'missing';
    throw error;
  }
}

async function inodeOf(path: string): Promise<bigint | null> {
  try {
    return (await lstat(path, { bigint: true })).ino;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
