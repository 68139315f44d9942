import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

import { systemClock } from '../../infra/clock/clock.ts';
import type { FolderWord } from './ownership.pure.ts';

const METADATA = /^\w+-[A-Za-z0-9]+-metadata\.json$/;
/** strax writes its metadata anew in place, with each chunk: a look may meet it half written. */
const LOOKS = 5;
const LOOK_MS = 40;

const metadataSchema = z.looseObject({
  bootstrax: z
    .object({ attempt: z.string(), document: z.string().nullish(), host: z.string() })
    .optional()
    .catch(undefined),
});

/** What a folder of strax says of who made it. Throws if the disk does not answer. */
export async function readWord(folder: string): Promise<FolderWord> {
  for (let look = 1; ; look++) {
    const word = await wordNow(folder);
    if (word !== null) return word;
    if (look === LOOKS) return { kind: 'torn' };
    await systemClock.sleep(LOOK_MS / 1000);
  }
}

export function isSameWord(a: FolderWord, b: FolderWord): boolean {
  if (a.kind !== 'says' || b.kind !== 'says') return a.kind === b.kind;
  return a.attempt === b.attempt && a.document === b.document && a.host === b.host;
}

async function wordNow(folder: string): Promise<FolderWord | null> {
  let text: string;
  try {
    const file = (await readdir(folder)).find((name) => METADATA.test(name));
    if (file === undefined) return null;
    text = await readFile(join(folder, file), 'utf8');
  } catch (error) {
    if (isGone(error)) return null;
    throw error;
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return null;
  }
  const parsed = metadataSchema.safeParse(json);
  if (!parsed.success) return null;
  const { bootstrax: word } = parsed.data;
  if (word === undefined) return { kind: 'silent' };
  return { kind: 'says', ...word, document: word.document ?? null };
}

function isGone(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOENT' || code === 'ENOTDIR';
}
