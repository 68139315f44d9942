import { opendir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import type { LiveLook } from '../../retry/unmendable.pure.ts';

/** A chunk, or what is stored between two, as the DAQ names its folder. */
const CHUNK = /^\d{6,}(_pre|_post)?$/;
/** While a reader still writes it. */
const UNFINISHED = /^\d{6,}\w*temp$/;
const FIRST = '000000';
const SECOND = '000001';
const THE_END = 'THE_END';
/** Chunks of which the times are read. */
const MOST_TIMES = 2000;

/**
 * Looks at the live data of one run. What says nothing of the run is `unseen`. `thorough`: the mark
 * tells also of files within the chunks.
 */
export async function lookAtLiveFolder(path: string, thorough: boolean): Promise<LiveLook> {
  try {
    if (!(await isFolder(path))) return await withoutFolder(path);
    return await lookInto(path, thorough ? MOST_TIMES : 0);
  } catch (error) {
    return { kind: 'unseen', why: `${path} cannot be read: ${codeOf(error)}` };
  }
}

/** Where nothing is mounted every run seems to be missing. */
async function withoutFolder(path: string): Promise<LiveLook> {
  const above = dirname(path);
  const entries = await opendir(above);
  try {
    if ((await entries.read()) !== null) return { kind: 'missing', path };
  } finally {
    await entries.close();
  }
  return { kind: 'unseen', why: `${above} is empty: is the live data mounted?` };
}

async function lookInto(path: string, mostTimes: number): Promise<LiveLook> {
  let entries = 0;
  let newest = (await stat(path)).mtimeMs;
  let chunks = 0;
  let hasChunks = false;
  let hasFirst = false;
  let hasMore = false;
  let ended = false;
  for await (const entry of await opendir(path)) {
    entries++;
    const { name } = entry;
    if (name === THE_END) ended = true;
    if (name !== THE_END && !CHUNK.test(name)) {
      // Of a reader that is not the DAQ's of redax nobody knows what it needs.
      if (!UNFINISHED.test(name)) hasChunks = hasFirst = hasMore = true;
      continue;
    }
    const folder = join(path, name);
    if (name === SECOND) hasMore = true;
    if (chunks++ < mostTimes) newest = Math.max(newest, (await stat(folder)).mtimeMs);
    if (name === THE_END || (hasChunks && name !== FIRST)) continue;
    if (!(await hasEntries(folder))) continue;
    hasChunks = true;
    if (name === FIRST) hasFirst = true;
  }
  const mark = `${entries} ${newest}`;
  return { kind: 'folder', path, hasChunks, hasFirst, hasMore, ended, mark };
}

async function hasEntries(folder: string): Promise<boolean> {
  if (!(await isFolder(folder))) return false;
  const entries = await opendir(folder);
  try {
    return (await entries.read()) !== null;
  } finally {
    await entries.close();
  }
}

/** Of what may be absent only: other errors are the host's. */
async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(codeOf(error))) return false;
    throw error;
  }
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? String(error);
}
