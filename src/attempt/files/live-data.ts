import { constants } from 'node:fs';
import { access, lstat, readdir, realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';

import { remove, renameDurable, syncFolder } from '../../infra/disk/durable.ts';

/**
 * A run's live data while it is being deleted. Other programs take what is before the `-` for the
 * run's number; none reads a folder of this name as live data, nor writes one.
 */
export const DELETING_SUFFIX = '-deleting';

/** Something stands where the folder has to go: a person has to remove it. */
export class InTheWay extends Error {}

/** Files that are read at the same time. */
const BATCH = 64;

export type LiveFolder =
  /** `path` is the real one: no part of it is a link. */
  | { kind: 'there'; path: string }
  /** Under the name that says it is being deleted; perhaps no longer whole. */
  | { kind: 'set_aside'; path: string }
  | { kind: 'missing'; path: string }
  /** Neither a folder of its own nor nothing: to be left alone. */
  | { kind: 'odd'; path: string; why: string }
  /** Under both names. */
  | { kind: 'twice'; path: string; aside: string };

export interface Survey {
  files: number;
  bytes: number;
  /** Why it cannot be deleted as a whole; null if it can. */
  obstacle: string | null;
}

/** The live data of single runs, as its deletion uses it. */
export interface LiveData {
  /** What there is of a run. Throws on a name that is no run's. */
  look(root: string, runId: string): Promise<LiveFolder>;
  /** Counts a folder, and looks whether all of it could go. Ends early when aborted. */
  survey(folder: string, signal: AbortSignal): Promise<Survey>;
  /** Gives a run's folder the name that says it is being deleted; on disk when this returns. */
  setAside(root: string, runId: string): Promise<void>;
  /** Takes that back. */
  putBack(root: string, runId: string): Promise<void>;
  /** Removes the folder that was set aside; false if aborted before the end. */
  remove(root: string, runId: string, signal: AbortSignal): Promise<boolean>;
  /** Does a path lie in a folder, links followed? */
  contains(folder: string, path: string): Promise<boolean>;
}

/** Live data on this machine's disks. */
export const liveDataOnDisk: LiveData = {
  look,
  survey,
  setAside,
  putBack,
  remove: clear,
  contains,
};

interface Names {
  root: string;
  folder: string;
  aside: string;
}

/** The root may be reached through links; below it there are none. */
async function namesOf(root: string, runId: string): Promise<Names> {
  if (!/^\d{6,}$/.test(runId)) throw new Error(`"${runId}" is no run's name: six digits`);
  const real = await realpath(root);
  if (real === sep)
    throw new Error(`${root} is the root of the machine, not a folder of live data`);
  return { root: real, folder: join(real, runId), aside: join(real, `${runId}${DELETING_SUFFIX}`) };
}

async function look(root: string, runId: string): Promise<LiveFolder> {
  const { folder, aside } = await namesOf(root, runId);
  const [own, other] = [await kindOf(folder), await kindOf(aside)];
  if (own === 'other') return { kind: 'odd', path: folder, why: 'it is a link or a file' };
  if (other === 'other') return { kind: 'odd', path: aside, why: 'it is a link or a file' };
  if (own === 'folder' && other === 'folder') return { kind: 'twice', path: folder, aside };
  if (own === 'folder') return { kind: 'there', path: folder };
  if (other === 'folder') return { kind: 'set_aside', path: aside };
  return { kind: 'missing', path: folder };
}

async function survey(folder: string, signal: AbortSignal): Promise<Survey> {
  const { dev } = await lstat(folder);
  const found: Survey = { files: 0, bytes: 0, obstacle: null };
  const waiting = [folder];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (signal.aborted) break;
    if ((await lstat(path)).dev !== dev) {
      return { ...found, obstacle: `another file system is mounted at ${path}` };
    }
    try {
      await access(path, constants.R_OK | constants.W_OK | constants.X_OK);
    } catch (error) {
      return { ...found, obstacle: `${path} may not be emptied: ${codeOf(error)}` };
    }
    const entries = await readdir(path, { withFileTypes: true });
    for (let begin = 0; begin < entries.length; begin += BATCH) {
      const batch = entries.slice(begin, begin + BATCH);
      waiting.push(
        ...batch.filter((entry) => entry.isDirectory()).map(({ name }) => join(path, name)),
      );
      const files = batch.filter((entry) => !entry.isDirectory());
      const sizes = await Promise.all(
        files.map(async ({ name }) => (await lstat(join(path, name))).size),
      );
      found.files += files.length;
      found.bytes += sizes.reduce((sum, size) => sum + size, 0);
    }
  }
  return found;
}

async function setAside(root: string, runId: string): Promise<void> {
  const { folder, aside } = await namesOf(root, runId);
  if ((await kindOf(folder)) !== 'folder') throw new InTheWay(`${folder} is no folder any more`);
  if ((await kindOf(aside)) !== 'missing') throw new InTheWay(`${aside} is in the way`);
  await renameDurable('live.rename', folder, aside);
}

async function putBack(root: string, runId: string): Promise<void> {
  const { folder, aside } = await namesOf(root, runId);
  if ((await kindOf(folder)) !== 'missing') throw new InTheWay(`${folder} is in the way`);
  await renameDurable('live.put_back', aside, folder);
}

async function clear(root: string, runId: string, signal: AbortSignal): Promise<boolean> {
  const { root: real, aside } = await namesOf(root, runId);
  const kind = await kindOf(aside);
  if (kind === 'other') throw new InTheWay(`${aside} is a link or a file, not a folder`);
  if (kind === 'folder') {
    for (const name of await readdir(aside)) {
      if (signal.aborted) return false;
      // A link is removed itself, and what it leads to stays.
      await remove('live.remove', join(aside, name));
    }
    await remove('live.remove', aside);
  }
  await syncFolder(real);
  return true;
}

async function contains(folder: string, path: string): Promise<boolean> {
  const [outer, inner] = await Promise.all([realpath(folder), realpath(path)]);
  return inner === outer || inner.startsWith(`${outer}${sep}`);
}

async function kindOf(path: string): Promise<'missing' | 'folder' | 'other'> {
  try {
    return (await lstat(path)).isDirectory() ? 'folder' : 'other';
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return 'missing';
    throw error;
  }
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? String(error);
}
