import { basename, isAbsolute, join } from 'node:path';

import type { Plan, Result } from '../attempt.pure.ts';
import { makeFolder, remove, renameDurable } from '../../infra/disk/durable.ts';
import { isAttemptId } from './attempt-directory.ts';
import { readWord } from './ownership.ts';
import type { FolderWord } from './ownership.pure.ts';
import { forgetProof } from './staging.ts';

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
 * Removes the folder of an attempt with all that is left in it. Throws on a path whose last part is
 * no attempt id.
 */
export async function removePlace(place: string): Promise<void> {
  if (!isAbsolute(place) || !isAttemptId(basename(place))) {
    throw new Error(`refusing to remove ${place}: it is no folder of an attempt`);
  }
  await remove('place.remove', place);
}

/**
 * Gives a folder of an attempt its place in the output folder. The guard is the rename itself: onto a
 * folder that is not empty it fails. Safe to repeat.
 */
export async function publishFolder(from: string, to: string, attempt: string): Promise<Published> {
  try {
    await renameDurable('place.publish', from, to);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EXDEV') forgetProof();
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST' && code !== 'ENOENT') throw error;
    const word = await readWord(to);
    if (word.kind === 'says' && word.attempt === attempt) return { kind: 'published' };
    return code === 'ENOENT' ? { kind: 'gone' } : { kind: 'in_the_way', word };
  }
  return { kind: 'published' };
}

/** The result of an attempt as it is once its products are published. */
export function inOutput({
  plan,
  result,
}: {
  plan: Plan | null;
  result: Result | null;
}): Result | null {
  if (plan === null || result === null) return result;
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
