import { randomBytes } from 'node:crypto';
import { lstat, readdir } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';

import { remove, renameDurable, syncFolder } from './durable.ts';
import { parseFolderName, UNFINISHED_SUFFIX, type StraxFolder } from './strax-folder.ts';

/** A folder that an earlier attempt left in the output folder. */
export interface Leftover extends StraxFolder {
  /** Absolute path of the folder itself. */
  path: string;
}

/**
 * Folders of a run in the output folder. With `locations`, only those (final names, as in the run
 * document's `data` entries; their `_temp` counts too); without, all of the run.
 */
export async function leftoversOf(
  outputDirectory: string,
  runId: string,
  { locations }: { locations?: readonly string[] } = {},
): Promise<Leftover[]> {
  const output = resolve(outputDirectory);
  const wanted = locations && new Set(locations.map((location) => resolve(location)));
  const found: Leftover[] = [];
  for (const entry of await readdir(output, { withFileTypes: true })) {
    const folder = parseFolderName(entry.name);
    if (folder?.runId !== runId || !entry.isDirectory()) continue;
    const path = join(output, entry.name);
    const final = folder.unfinished ? path.slice(0, -UNFINISHED_SUFFIX.length) : path;
    if (wanted === undefined || wanted.has(final)) found.push({ ...folder, path });
  }
  return found.sort((a, b) => a.path.localeCompare(b.path));
}

/**
 * Removes strax folders of a run. A finished one is renamed to `_temp` first, so that what is left
 * of it after a crash never looks like data. Throws, before anything is removed, on a path that is
 * not exactly `<outputDirectory>/<runId>-<type>-<hash>[_temp]` or is no real folder. A folder that
 * is gone already is no error. Answers the paths removed.
 */
export async function removeLeftovers(
  outputDirectory: string,
  runId: string,
  paths: readonly string[],
): Promise<string[]> {
  const output = resolve(outputDirectory);
  for (const path of paths) await checkRemovable(output, runId, path);
  const removed: string[] = [];
  for (const path of paths) {
    if (await removeFolder(path)) removed.push(path);
  }
  // What is noted next may rest on their being gone for good, whoever removed them.
  await syncFolder(output);
  return removed;
}

/**
 * Removes one strax folder beside a manager that may begin an attempt at the same run: under a name of
 * its own first, so that what is being removed is never what somebody has begun to write since.
 * Throws on what `removeLeftovers` throws on. False if it is gone already.
 */
export async function removeApart(
  outputDirectory: string,
  runId: string,
  path: string,
): Promise<boolean> {
  const output = resolve(outputDirectory);
  await checkRemovable(output, runId, path);
  if ((await kindOf(path)) === 'missing') return false;
  const finished = path.endsWith(UNFINISHED_SUFFIX)
    ? path.slice(0, -UNFINISHED_SUFFIX.length)
    : path;
  const mark = `${CONDEMNED_MARK}${randomBytes(CONDEMNED_BYTES).toString('hex')}`;
  const doomed = isCondemned(path) ? path : `${finished}${mark}${UNFINISHED_SUFFIX}`;
  if (doomed !== path) await renameDurable('leftover.rename', path, doomed);
  await remove('leftover.remove', doomed);
  await syncFolder(output);
  return true;
}

/** Lineage hashes have no zeros. */
const CONDEMNED_MARK = '0removed';
const CONDEMNED_BYTES = 6;
const CONDEMNED = new RegExp(
  `${CONDEMNED_MARK}[0-9a-f]{${2 * CONDEMNED_BYTES}}${UNFINISHED_SUFFIX}$`,
);

/** Is it the name of a folder on its way out? */
export function isCondemned(path: string): boolean {
  return CONDEMNED.test(path);
}

async function removeFolder(path: string): Promise<boolean> {
  if ((await kindOf(path)) === 'missing') return false;
  let doomed = path;
  if (!path.endsWith(UNFINISHED_SUFFIX)) {
    doomed = `${path}${UNFINISHED_SUFFIX}`;
    const inTheWay = await kindOf(doomed);
    if (inTheWay === 'other') {
      throw new Error(`${doomed} is in the way of removing ${path}: it is no folder; look at it`);
    }
    if (inTheWay === 'folder') await remove('leftover.remove', doomed);
    // The new name is on disk before the first file goes.
    await renameDurable('leftover.rename', path, doomed);
  }
  await remove('leftover.remove', doomed);
  return true;
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

/** Finds and removes: see `leftoversOf` and `removeLeftovers`. */
export async function clearLeftovers(
  outputDirectory: string,
  runId: string,
  options: { locations?: readonly string[] } = {},
): Promise<string[]> {
  const leftovers = await leftoversOf(outputDirectory, runId, options);
  return removeLeftovers(
    outputDirectory,
    runId,
    leftovers.map(({ path }) => path),
  );
}
