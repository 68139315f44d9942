import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';

import { remove } from '../../infra/disk/durable.ts';

/** Where Linux keeps shared memory that has a name. */
const SHARED_MEMORY = '/dev/shm';

/**
 * Removes the shared memory that an attempt's processes have left; answers the names. Only to be
 * called once none of them runs. The worker puts the attempt's id, which nobody else has, into the
 * name of each segment: whatever does not carry it is somebody else's and stays.
 */
export async function clearSharedMemory(attempt: string): Promise<string[]> {
  const removed: string[] = [];
  for (const name of await readdir(SHARED_MEMORY).catch(() => [])) {
    if (!name.includes(attempt)) continue;
    const path = join(SHARED_MEMORY, name);
    const found = await lstat(path).catch(() => null);
    if (found?.isFile() !== true || found.uid !== process.getuid?.()) continue;
    await remove('shared-memory.remove', path);
    removed.push(name);
  }
  return removed;
}
