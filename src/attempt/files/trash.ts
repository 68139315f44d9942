import { createHash, randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import { z } from 'zod';

import {
  makeFolder,
  remove,
  renameDurable,
  syncFolder,
  writeFileDurable,
} from '../../infra/disk/durable.ts';
import { isAttemptId } from './attempt-directory.ts';
import { checkRemovable, inodeOf, isThere, type Leftover } from './leftovers.ts';
import { isSameWord, readWord } from './ownership.ts';
import { placeIn } from './staging.pure.ts';
import { parseFolderName, placeOf, UNFINISHED_SUFFIX } from './strax-folder.ts';

/**
 * Nothing is removed where it lies. A folder is renamed into the trash of the one who removes it; what
 * it says is read there, where nobody else can put another in its place; then its name in the trash
 * says that it is doomed, and it is deleted, or it is renamed back. So a cut leaves a folder that is
 * doomed by right, or one that goes back.
 */

/** Below the place of the attempt that removes. */
const TRASH = 'trash';
/** Where what lies beside it belongs. */
const OWNER_FILE = 'trash.json';
const DOOMED = '~doomed';
/** A folder of one path may be taken twice. */
const ITEM = /^(.+)~[0-9a-f]{12}(~doomed)?$/;

const ownerSchema = z.object({ host: z.string(), outputDirectory: z.string() });

/** Of one who removes folders from an output folder. */
export interface Trash {
  /** The remover's own place, in the folder where attempts write. */
  place: string;
  host: string;
  outputDirectory: string;
}

export type Taken =
  /** It is the one that was seen, and lies at `path` in the trash. */
  | { kind: 'taken'; path: string }
  | { kind: 'gone' }
  /** Another lies there. */
  | { kind: 'changed' }
  /** Another lay there and was taken, and now a third has its name: it stays in the trash. */
  | { kind: 'stays'; path: string };

/** The place of an attempt, or of a host and an output folder where it is no attempt that removes. */
export function placeOfRemover(
  stagingDirectory: string,
  { attempt, host, outputDirectory }: Omit<Trash, 'place'> & { attempt: string | null },
): string {
  if (attempt !== null && isAttemptId(attempt)) return placeIn(stagingDirectory, attempt);
  const output = createHash('sha256').update(resolve(outputDirectory)).digest('hex').slice(0, 12);
  return join(stagingDirectory, `removals-${encodeURIComponent(host)}-${output}`);
}

/**
 * Takes a folder of a run out of the output folder, if it is the one that was seen. Throws on a path
 * that is not exactly `<outputDirectory>/<runId>-<type>-<hash>[_temp]` or is no real folder.
 */
export async function takeAway(
  trash: Trash,
  runId: string,
  seen: Pick<Leftover, 'path' | 'word' | 'inode'>,
): Promise<Taken> {
  const { path } = seen;
  await checkRemovable(resolve(trash.outputDirectory), runId, path);
  const inode = await inodeOf(path);
  if (inode === null) return { kind: 'gone' };
  // What is known to be another is not even taken away for a moment.
  if (inode !== seen.inode) return { kind: 'changed' };
  const item = join(await makeTrash(trash), itemName(path));
  try {
    await renameDurable('trash.take', path, item);
  } catch (error) {
    if (codeOf(error) === 'ENOENT' && !(await isThere(path))) return { kind: 'gone' };
    throw error;
  }
  const isSeen =
    (await inodeOf(item)) === seen.inode && isSameWord(await readWord(item), seen.word);
  if (isSeen) return { kind: 'taken', path: item };
  return (await putBack(trash, item)) ? { kind: 'changed' } : { kind: 'stays', path: item };
}

/** Deletes what was taken away, for good; false if a start has put it back meanwhile. */
export async function destroy({ outputDirectory }: Trash, item: string): Promise<boolean> {
  const doomed = `${item}${DOOMED}`;
  try {
    await renameDurable('trash.doom', item, doomed);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw error;
  }
  await remove('trash.remove', doomed);
  // What is noted next may rest on its being gone for good.
  await syncFolder(outputDirectory);
  return true;
}

/** Gives what was taken away its name again; false if that is taken by now. */
export async function putBack(
  { outputDirectory }: Pick<Trash, 'outputDirectory'>,
  item: string,
): Promise<boolean> {
  return renameUnlessTaken('trash.put_back', item, join(outputDirectory, nameOf(item)));
}

/** Keeps what was taken away beside the trash, in the place itself; false if its name is taken there. */
export async function keepInPlace({ place }: Pick<Trash, 'place'>, item: string): Promise<boolean> {
  return renameUnlessTaken('place.take_back', item, join(place, nameOf(item)));
}

/** The name that a folder in a trash had where it was taken. */
function nameOf(item: string): string {
  const name = ITEM.exec(basename(item))?.[1];
  if (name === undefined || parseFolderName(name) === null) {
    throw new Error(`${item} is nothing that was taken out of an output folder`);
  }
  return name;
}

/** A removal of release 0.1.1 was cut: its folder gets its name again; false if that is taken. */
export async function putBackCondemned(path: string): Promise<boolean> {
  return renameUnlessTaken('condemned.put_back', path, nameBefore(path));
}

/**
 * Brings a removal that was cut to its end: what is doomed goes, anything else gets its name again.
 * Answers what has to stay in the trash, since its name is taken or nobody knows where it belongs.
 */
export async function tidyTrash(place: string): Promise<string[]> {
  const trash = join(place, TRASH);
  const stays: string[] = [];
  const owner = await ownerOf(trash);
  for (const name of await namesIn(trash)) {
    if (name === OWNER_FILE) continue;
    const path = join(trash, name);
    const [, before, doomed] = ITEM.exec(name) ?? [];
    if (before !== undefined && doomed !== undefined) {
      await remove('trash.remove', path);
      if (owner !== null) await syncIfThere(owner.outputDirectory);
    } else if (owner === null || before === undefined || parseFolderName(before) === null) {
      // A file of an interrupted write is nobody's data.
      if (!name.startsWith(OWNER_FILE)) stays.push(path);
    } else if (!(await putBack(owner, path))) stays.push(path);
  }
  return stays;
}

/** Trash in a folder where attempts write, and whose it is; null if it does not say. */
export async function trashBelow(
  stagingDirectory: string,
): Promise<{ place: string; host: string | null }[]> {
  const found: { place: string; host: string | null }[] = [];
  for (const name of await namesIn(stagingDirectory)) {
    const place = join(stagingDirectory, name);
    const trash = join(place, TRASH);
    if (!(await isThere(trash))) continue;
    found.push({ place, host: (await ownerOf(trash))?.host ?? null });
  }
  return found;
}

/** What of a place is not trash. */
export async function besidesTrash(place: string): Promise<string[]> {
  return (await namesIn(place)).filter((name) => name !== TRASH).map((name) => join(place, name));
}

/** The trash says where its things belong before the first lies in it. */
async function makeTrash({ place, host, outputDirectory }: Trash): Promise<string> {
  const trash = join(place, TRASH);
  const output = resolve(outputDirectory);
  const owner = await ownerOf(trash);
  if (owner?.outputDirectory === output && owner.host === host) return trash;
  await makeFolder('trash.make', trash);
  // What gets there is not to be lost with a folder above it.
  for (const folder of [place, dirname(place)]) await syncFolder(folder);
  const text = `${JSON.stringify({ host, outputDirectory: output })}\n`;
  await writeFileDurable('trash.json', join(trash, OWNER_FILE), text);
  return trash;
}

async function ownerOf(trash: string): Promise<z.infer<typeof ownerSchema> | null> {
  let json: unknown;
  try {
    json = JSON.parse(await readFile(join(trash, OWNER_FILE), 'utf8'));
  } catch (error) {
    const code = codeOf(error);
    if (error instanceof SyntaxError || code === 'ENOENT' || code === 'ENOTDIR') return null;
    throw error;
  }
  const parsed = ownerSchema.safeParse(json);
  return parsed.success && isAbsolute(parsed.data.outputDirectory) ? parsed.data : null;
}

function itemName(path: string): string {
  return `${basename(nameBefore(path))}~${randomBytes(6).toString('hex')}`;
}

/** The path without what release 0.1.1 has added to it when it began to remove it. */
function nameBefore(path: string): string {
  const { location, unfinished } = placeOf(path);
  return unfinished ? `${location}${UNFINISHED_SUFFIX}` : location;
}

/** Onto a folder that is not empty a rename fails: nothing is ever replaced. */
async function renameUnlessTaken(
  step: 'trash.put_back' | 'condemned.put_back' | 'place.take_back',
  from: string,
  to: string,
): Promise<boolean> {
  try {
    await renameDurable(step, from, to);
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOTEMPTY' || code === 'EEXIST' || code === 'ENOTDIR') return false;
    // Another start has done it, unless there is no output folder any more.
    if (code === 'ENOENT' && !(await isThere(from))) return true;
    throw error;
  }
  return true;
}

async function syncIfThere(folder: string): Promise<void> {
  if (await isThere(folder)) await syncFolder(folder);
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).sort();
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return [];
    throw error;
  }
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException | null)?.code;
}
