import { randomBytes } from 'node:crypto';
import { link, mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Small files that only this user may read. Whoever writes at the same time, in whatever process,
 * there is never half a file, and after a power cut the old one or the new one.
 */

const ONLY_OWNER = 0o600;

/** Null if there is no such file. */
export async function readPrivate(directory: string, name: string): Promise<string | null> {
  try {
    return await readFile(join(directory, name), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** Without the names of files that are being written. */
export async function listPrivate(directory: string): Promise<string[]> {
  try {
    return (await readdir(directory)).filter((name) => !name.startsWith('.')).sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** Writes a file, or answers false if it is there already (`new`) or is not there (`existing`). */
export async function writePrivate(
  directory: string,
  name: string,
  text: string,
  which: 'new' | 'existing',
): Promise<boolean> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const path = join(directory, name);
  const temporary = join(directory, `.${randomBytes(8).toString('hex')}`);
  try {
    const file = await open(temporary, 'wx', ONLY_OWNER);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    if (which === 'existing') {
      if ((await readPrivate(directory, name)) === null) return false;
      await rename(temporary, path);
    } else {
      try {
        await link(temporary, path);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
        throw error;
      }
    }
  } finally {
    await rm(temporary, { force: true });
  }
  await syncDirectory(directory);
  return true;
}

/** False if there was none. */
export async function removePrivate(directory: string, name: string): Promise<boolean> {
  try {
    await rm(join(directory, name));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
  await syncDirectory(directory);
  return true;
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
