import { randomBytes } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

import { listOpenAttempts, readAttempt } from '../attempt/files/attempt-directory.ts';
import { writeFileDurable } from '../infra/disk/durable.ts';
import type { FolderOwner } from './host-name.pure.ts';

const FILE = 'state-folder.json';

const recordSchema = z.object({
  version: z.literal(1),
  /** Id of the folder: a copy of the folder gets another one. */
  id: z.string().regex(/^[0-9a-f]{24}$/),
  /** Inode of the folder, by which a copy is recognized. */
  inode: z.number(),
  host: z.string().min(1),
  machine: z.object({ id: z.string().nullable(), name: z.string() }),
  /** Null: not known yet. */
  database: z
    .object({
      /** Mark in the database; null: it could not be marked. */
      mark: z.string().nullable(),
      /** Id of the collection with the mark, where the server says it. */
      collection: z.string().nullable(),
      servers: z.array(z.string()),
      name: z.string(),
    })
    .nullable(),
});

/** `state-folder.json`: host, machine and database to which the state folder belongs. */
export type FolderRecord = z.infer<typeof recordSchema>;

/** Null if the folder is new, or was used only by release 0.1.0. Throws if the record cannot be read. */
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
      `${path} names the owner of this state folder, but cannot be read: if the folder belongs to this host, remove that file`,
      { cause: error },
    );
  }
}

/**
 * The owner of a state folder. Release 0.1.0 kept no record: then the host of its open attempts is the
 * owner. Null: the folder has no owner.
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

/** Writes the folder's record; it is on disk when this returns. Only the holder of the folder's lock may. */
export async function keepFolderRecord(stateDir: string, record: FolderRecord): Promise<void> {
  const path = join(stateDir, FILE);
  await writeFileDurable('state-folder.json', path, `${JSON.stringify(record)}\n`);
}

/** The folder's record with this owner: the present one, a new one, or one with a new id if the folder is a copy. */
export async function recordFor(stateDir: string, owner: FolderOwner): Promise<FolderRecord> {
  const [found, { ino: inode }] = await Promise.all([readFolderRecord(stateDir), stat(stateDir)]);
  const id = found?.inode === inode ? found.id : randomBytes(12).toString('hex');
  const { host, machine } = owner;
  return { version: 1, id, inode, host, machine, database: found?.database ?? null };
}
