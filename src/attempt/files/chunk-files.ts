import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

import { type ChunkFiles, foldersOfChunk, readerOfFile } from '../movement.pure.ts';

/** The files that strax needs for one chunk; null where the folder of the run cannot be read. */
export async function readChunkFiles(path: string, chunk: number): Promise<ChunkFiles | null> {
  try {
    const names = await readdir(path);
    const wanted = foldersOfChunk(chunk).filter((name) => names.includes(name));
    const found = await Promise.all(
      wanted.map(async (name) => [name, countReaders(await readdir(join(path, name)))] as const),
    );
    return new Map(found);
  } catch {
    return null;
  }
}

function countReaders(files: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const file of files) {
    const reader = readerOfFile(file);
    counts.set(reader, (counts.get(reader) ?? 0) + 1);
  }
  return counts;
}
