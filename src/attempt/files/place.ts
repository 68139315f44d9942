import type { Dirent } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, isAbsolute, join } from 'node:path';

import { makeFolder, remove, renameUnforced, syncFolders } from '../../infra/disk/durable.ts';
import type { Plan, Result } from '../attempt.pure.ts';
import { isAttemptId } from './attempt-directory.ts';
import type { FolderInPlace } from './finished-place.pure.ts';
import type { FolderWord } from './ownership.pure.ts';
import { readWord } from './ownership.ts';
import { forgetProof } from './staging.ts';
import { parseFolderName, placeOf } from './strax-folder.ts';
import { besidesTrash, tidyTrash } from './trash.ts';

/** Another folder has the name, or there is nothing to rename. */
function isInTheWay(error: unknown): error is NodeJS.ErrnoException {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOTEMPTY' || code === 'EEXIST' || code === 'ENOENT';
}

/** What became of a folder that was to get its place in the output folder. */
export type Published =
  | { kind: 'published' }
  /** Somebody else's lies there. */
  | { kind: 'in_the_way'; word: FolderWord }
  /** It is neither where it was made nor where it belongs. */
  | { kind: 'gone' };

/** Makes the folder that an attempt alone writes to. */
export async function makePlace(place: string): Promise<void> {
  await makeFolder('place.make', place);
}

/**
 * Removes the folder of an attempt with all that is left in it. What it had taken out of the output
 * folder to remove it, and has not, gets its name again; if that is taken, it stays. Throws on a path
 * whose last part is no attempt id.
 */
export async function removePlace(place: string): Promise<void> {
  if (!isAbsolute(place) || !isAttemptId(basename(place))) {
    throw new Error(`refusing to remove ${place}: it is no folder of an attempt`);
  }
  const stays = await tidyTrash(place);
  const doomed = stays.length === 0 ? [place] : await besidesTrash(place);
  for (const path of doomed) await remove('place.remove', path);
}

/**
 * Gives a folder of an attempt its place in the output folder. The guard is the rename itself: onto a
 * folder that is not empty it fails. Safe to repeat. A power cut may undo it until `forcePublished`.
 */
export async function publishFolder(from: string, to: string, attempt: string): Promise<Published> {
  try {
    await renameUnforced('place.publish', from, to);
  } catch (error) {
    if (!isInTheWay(error)) {
      if ((error as NodeJS.ErrnoException).code === 'EXDEV') forgetProof();
      throw error;
    }
    const { code } = error;
    const word = await readWord(to);
    if (word.kind === 'says' && word.attempt === attempt) return { kind: 'published' };
    return code === 'ENOENT' ? { kind: 'gone' } : { kind: 'in_the_way', word };
  }
  return { kind: 'published' };
}

/** All that has been published from a place is on disk when this returns. */
export async function forcePublished(place: string, outputDirectory: string): Promise<void> {
  await syncFolders([outputDirectory, place]);
}

/** Ids of the attempts that have a place in a folder of places; none where there is no such folder. */
export async function placesIn(staging: string): Promise<string[]> {
  const names = (await entriesOf(staging)).map(({ name }) => name);
  return names.filter(isAttemptId).sort();
}

async function entriesOf(folder: string): Promise<Dirent[]> {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** All folders of strax in the place of an attempt, and what each says of who made it. */
export async function foldersIn(place: string): Promise<FolderInPlace[]> {
  const found: FolderInPlace[] = [];
  for (const entry of await entriesOf(place)) {
    const folder = parseFolderName(entry.name);
    if (folder === null || !entry.isDirectory()) continue;
    const path = join(place, entry.name);
    const { location, unfinished } = placeOf(path);
    const word = await readWord(path);
    found.push({ name: basename(location), runId: folder.runId, unfinished, word });
  }
  return found;
}

/** The result of an attempt as it is once its products are published. */
export function inOutput(plan: Plan, result: Result): Result {
  const products = result.products.map((product) => ({
    ...product,
    location: publishedLocation(plan, product.location),
  }));
  return { ...result, products };
}

/** Where a product of an attempt belongs in the output folder. */
export function publishedLocation(
  { place, outputDirectory }: { place?: string | null | undefined; outputDirectory: string },
  location: string,
): string {
  return place == null ? location : join(outputDirectory, basename(location));
}
