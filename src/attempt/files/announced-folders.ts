import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { type Folder, progressSchema } from '../attempt.pure.ts';

/** Folders that an attempt announced in its progress; a line cut off by a crash is passed over. */
export async function foldersOf(directory: string): Promise<Folder[]> {
  let text: string;
  try {
    text = await readFile(join(directory, 'progress.ndjson'), 'utf8');
  } catch {
    return [];
  }
  return text.split('\n').flatMap((line) => {
    if (!line.includes('"folder"')) return [];
    try {
      const parsed = progressSchema.safeParse(JSON.parse(line));
      return parsed.data?.folder === undefined ? [] : [parsed.data.folder];
    } catch {
      return [];
    }
  });
}
