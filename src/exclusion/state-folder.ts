import { randomBytes } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

import { z } from 'zod';

import type { FolderOwner } from './host-name.pure.ts';
import { listOpenAttempts, readAttempt } from '../attempt/files/attempt-directory.ts';
import { writeFileDurable } from '../infra/disk/durable.ts';

const FILE = 'state-folder.json';

const recordSchema = z.object({
  version: z.literal(1),
  /** The folder's own: a copy of it gets another. */
  id: z.string().regex(/^[0-9a-f]{24}$/),
  /** Of the folder, to know a copy. */
  inode: z.number(),
  host: z.string().min(1),
  machine: z.object({ id: z.string().nullable(), name: z.string() }),
  /** Null: not known yet. */
  database: z
    .object({
      /** As the database says; null: it could not be marked. */
      mark: z.string().nullable(),
      /** Of the collection with the mark, where the server tells. */
      collection: z.string().nullable(),
      servers: z.array(z.string()),
      name: z.string(),
    })
    .nullable(),
});

/** `state-folder.json`: whose state folder it is. */
export type FolderRecord = z.infer<typeof recordSchema>;

/** Null if nobody has used the folder yet, or only a release that kept none. Throws if it cannot be read. */
export async function readFolderRecord(stateDir: string): Promise<FolderRecord | null> {
  const path = join(stateDir, FILE);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    throw error;
  }
  try {
    return recordSchema.parse(JSON.parse(text));
  } catch (error) {
    throw new Error(
      `${path} says whose state folder this is, but cannot be read: if it belongs to this host, remove that file`,
      { cause: error },
    );
  }
}

/**
 * Whose folder it is; of a folder of an earlier release, the host of the attempts that it began and
 * did not conclude. Null: anybody may have it.
 */
export async function ownerOfFolder(stateDir: string): Promise<FolderOwner | null> {
  const record = await readFolderRecord(stateDir);
  if (record !== null) return record;
  for (const id of await listOpenAttempts(stateDir)) {
    const host = (await readAttempt(stateDir, id))?.plan?.host;
    if (host !== undefined) return { host, machine: { id: null, name: '' } };
  }
  return null;
}

/** Keeps whose folder it is, on disk when this returns. Only who has the folder's lock may. */
export async function keepFolderRecord(stateDir: string, record: FolderRecord): Promise<void> {
  const path = join(stateDir, FILE);
  await writeFileDurable('state-folder.json', path, `${JSON.stringify(record)}\n`);
}

/** The folder's record with this owner: as it is, or made, or with an id of its own if it is a copy. */
export async function recordFor(stateDir: string, owner: FolderOwner): Promise<FolderRecord> {
  const [found, { ino: inode }] = await Promise.all([readFolderRecord(stateDir), stat(stateDir)]);
  const id = found?.inode === inode ? found.id : randomBytes(12).toString('hex');
  const { host, machine } = owner;
  return { version: 1, id, inode, host, machine, database: found?.database ?? null };
}
