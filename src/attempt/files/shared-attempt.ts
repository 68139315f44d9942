import { lstat, readlink } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { basename, dirname, isAbsolute, join } from 'node:path';

import { linkFolder, makeFolder, remove, renameDurable } from '../../infra/disk/durable.ts';

/** Others must not see what is in it, nor put anything there. */
const PRIVATE = 0o700;

/**
 * Makes the directory of an attempt on storage that the nodes of a cluster see, and the link to it in
 * the state folder; answers its path. The link comes first: one that leads nowhere says that nothing
 * was begun, and this manager knows of no directory but through a link of its own, so that managers
 * may share the storage.
 */
export async function makeSharedDirectory(link: string, shared: string): Promise<string> {
  const directory = join(shared, 'attempts', basename(link));
  await linkFolder('attempt.link', directory, link);
  await makeFolder('attempt.make', dirname(directory));
  await makeFolder('attempt.make', directory, PRIVATE);
  return directory;
}

/** Where the directory of an attempt is: the path itself, or where a link of ours leads to. */
export async function resolveDirectory(path: string): Promise<string> {
  const target = await targetOf(path);
  return target ?? path;
}

/** Null: there is nothing, or it is no link. */
async function targetOf(path: string): Promise<string | null> {
  try {
    const target = await readlink(path);
    return isAbsolute(target) && basename(target) === basename(path) ? target : null;
  } catch {
    return null;
  }
}

/**
 * Whether a directory may be believed: it is a folder, no link, and belongs to the user of this
 * manager.
 */
export async function isOwnFolder(directory: string): Promise<boolean> {
  try {
    const found = await lstat(directory);
    return found.isDirectory() && found.uid === userInfo().uid;
  } catch {
    return false;
  }
}

/** Removes where a link leads to, under another name first; the link itself stays. */
export async function removeLinked(link: string): Promise<void> {
  const target = await targetOf(link);
  if (target === null) return;
  const doomed = join(dirname(target), `removed-${basename(target)}`);
  await remove('attempt.remove', doomed);
  if (!(await isOwnFolder(target))) return;
  await renameDurable('attempt.rename', target, doomed);
  await remove('attempt.remove', doomed);
}

/** Whether it is a link to a directory that is not there, below a folder that is: nothing was begun, or it is removed. */
export async function leadsNowhere(path: string): Promise<boolean> {
  const target = await targetOf(path);
  if (target === null) return false;
  const isThere = async (folder: string): Promise<boolean> => {
    try {
      await lstat(folder);
      return true;
    } catch (error) {
      // A storage that does not answer says nothing of what lies there.
      return (error as NodeJS.ErrnoException).code !== 'ENOENT';
    }
  };
  return (await isThere(dirname(dirname(target)))) && !(await isThere(target));
}
