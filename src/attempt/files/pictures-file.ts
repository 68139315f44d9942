import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

const NAME = 'pictures.json';

/** What the reader of an attempt has written; null if there is nothing. */
export interface PicturesFile {
  text: string;
  written: Date;
}

/** Reads `pictures.json` of an attempt directory; a file larger than `mostBytes` is none. */
export async function readPicturesFile(
  directory: string,
  mostBytes: number,
): Promise<PicturesFile | null> {
  const path = join(directory, NAME);
  try {
    const { size, mtime } = await stat(path);
    return size > mostBytes ? null : { text: await readFile(path, 'utf8'), written: mtime };
  } catch {
    return null;
  }
}
