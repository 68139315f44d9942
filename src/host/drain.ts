import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

import { remove, writeFileDurable } from '../infra/disk/durable.ts';

/** A person wants no new run to be taken on this host, until that is taken back. */
export interface Drain {
  /** Who and why, in words. */
  reason: string;
  /** When it ends by itself, by the server's clock; null: never. */
  expires: Date | null;
  /** Id of the action that asked for it; null: asked at this host. */
  action: string | null;
}

/** Where it is kept over restarts. */
export interface DrainKeeper {
  keep(drain: Drain): Promise<void>;
  /** Runs may be taken again. */
  end(): Promise<void>;
}

const drainSchema = z.object({
  reason: z.string(),
  expires: z.iso.datetime().nullish(),
  action: z.string().nullish(),
});

const fileOf = (stateDir: string): string => join(stateDir, 'drained.json');

/** Why this host is drained; null if it is not. */
export async function readDrain(stateDir: string): Promise<Drain | null> {
  let text: string;
  try {
    text = await readFile(fileOf(stateDir), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  try {
    const { reason, expires, action } = drainSchema.parse(JSON.parse(text));
    return {
      reason,
      expires: expires == null ? null : new Date(expires),
      action: action ?? null,
    };
  } catch {
    // Whoever made this file wanted no runs here.
    const reason = `${fileOf(stateDir)} is there, but cannot be read: 'bootstrax undrain' removes it`;
    return { reason, expires: null, action: null };
  }
}

export function drainsOnDisk(stateDir: string): DrainKeeper {
  return {
    keep: (drain) =>
      writeFileDurable('drained.json', fileOf(stateDir), `${JSON.stringify(drain)}\n`),
    end: () => remove('drained.remove', fileOf(stateDir)),
  };
}

/** For people: the reason, and until when. */
export function drainText({ reason, expires }: Drain): string {
  return expires === null ? reason : `${reason} (until ${expires.toISOString().slice(0, 16)}Z)`;
}
