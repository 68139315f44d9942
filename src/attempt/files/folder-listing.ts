import { lstat, readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';

import type { FolderSeen, LiveContent, LiveSeen } from './folder-listing.pure.ts';
import { DELETING_SUFFIX } from './live-data.ts';
import { isCondemned, parseFolderName, UNFINISHED_SUFFIX } from './strax-folder.ts';

/** Entries that are read at the same time. */
const BATCH = 64;
const RUN_ID = /^\d{6,}$/;
const CHUNK = /^\d{6}$/;

/** What carries the name of a strax folder in the output folder. What is in it is not read. */
export async function listOutput(outputDirectory: string): Promise<FolderSeen[]> {
  const output = resolve(outputDirectory);
  const found: FolderSeen[] = [];
  for (const entry of await readdir(output, { withFileTypes: true })) {
    const parsed = parseFolderName(entry.name);
    if (parsed === null) continue;
    const path = join(output, entry.name);
    found.push({
      path,
      run: Number(parsed.runId),
      location: parsed.unfinished ? path.slice(0, -UNFINISHED_SUFFIX.length) : path,
      unfinished: parsed.unfinished,
      condemned: isCondemned(path),
      isFolder: entry.isDirectory(),
      files: 0,
      bytes: 0,
      newestMs: Infinity,
    });
  }
  return found;
}

/** The same folder with what is in it. One that is gone has nothing in it. */
export async function measureFolder(folder: FolderSeen): Promise<FolderSeen> {
  if (!folder.isFolder) return folder;
  const { files, bytes, lastMs } = await survey(folder.path);
  return { ...folder, files, bytes, newestMs: lastMs };
}

/**
 * Folders of live data below a root: those named by a run, directly in it or in one of its other
 * folders. Answers why a root cannot be read, as an error code.
 */
export async function listLive(
  root: string,
): Promise<{ live: LiveSeen[]; unreadable: string | null }> {
  const live: LiveSeen[] = [];
  const look = async (folder: string): Promise<string[]> => {
    const others: string[] = [];
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      if (!entry.isDirectory()) continue;
      const path = join(folder, entry.name);
      const beingDeleted = entry.name.endsWith(DELETING_SUFFIX);
      const name = beingDeleted ? entry.name.slice(0, -DELETING_SUFFIX.length) : entry.name;
      if (RUN_ID.test(name)) live.push({ path, run: Number(name), beingDeleted, content: null });
      else others.push(path);
    }
    return others;
  };
  try {
    for (const folder of await look(resolve(root))) {
      // What this user may not see there is no live data of this host.
      await look(folder).catch(() => []);
    }
    return { live, unreadable: null };
  } catch (error) {
    return { live: [], unreadable: (error as NodeJS.ErrnoException).code ?? String(error) };
  }
}

/** What is in a folder of live data. */
export async function measureLive(path: string): Promise<LiveContent> {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => []);
  const chunks = entries.filter((entry) => entry.isDirectory() && CHUNK.test(entry.name)).length;
  return { chunks, ...(await survey(path)) };
}

/** Is there anything of this name? A disk that does not answer is no proof that there is not. */
export async function isMissing(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return false;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    return code === 'ENOENT' || code === 'ENOTDIR';
  }
}

export interface Surveyed {
  files: number;
  bytes: number;
  firstMs: number;
  lastMs: number;
}

/** Files in a folder and below; links are not followed. What vanishes meanwhile counts nothing. */
export async function survey(folder: string): Promise<Surveyed> {
  const found: Surveyed = { files: 0, bytes: 0, firstMs: Infinity, lastMs: -Infinity };
  const waiting = [folder];
  const count = async (path: string) => {
    const stat = await lstat(path).catch(() => null);
    if (stat === null) return;
    if (!stat.isDirectory()) {
      found.files++;
      found.bytes += stat.size;
    }
    found.firstMs = Math.min(found.firstMs, stat.mtimeMs);
    found.lastMs = Math.max(found.lastMs, stat.mtimeMs);
  };
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    await count(path);
    const entries = await readdir(path, { withFileTypes: true }).catch(() => []);
    const paths = entries.map((entry) => join(path, entry.name));
    waiting.push(...paths.filter((_, i) => entries[i]?.isDirectory()));
    const files = paths.filter((_, i) => entries[i]?.isDirectory() === false);
    for (let begin = 0; begin < files.length; begin += BATCH) {
      await Promise.all(files.slice(begin, begin + BATCH).map(count));
    }
  }
  return found;
}
