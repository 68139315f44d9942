import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

import { remove, writeFileDurable } from '../../attempts/durable.ts';

/** A person wants no new run to be taken on this host, until that is taken back. */
const drainSchema = z.object({ reason: z.string() });

const fileOf = (stateDir: string): string => join(stateDir, 'drained.json');

/** Why this host takes no runs by a person's wish; null if nobody wants that. */
export async function readDrain(stateDir: string): Promise<string | null> {
  let text: string;
  try {
    text = await readFile(fileOf(stateDir), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  try {
    return drainSchema.parse(JSON.parse(text)).reason;
  } catch {
    // Whoever made this file wanted no runs here.
    return `${fileOf(stateDir)} is there, but cannot be read: 'bootstrax undrain' removes it`;
  }
}

/** Kept over restarts. */
export async function keepDrain(stateDir: string, reason: string): Promise<void> {
  await writeFileDurable('drained.json', fileOf(stateDir), `${JSON.stringify({ reason })}\n`);
}

/** Runs may be taken again. */
export async function endDrain(stateDir: string): Promise<void> {
  await remove('drained.remove', fileOf(stateDir));
}
