import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { until } from './until.ts';
import { WarmPython } from './warm-python.ts';

const FOLDER = 'BOOTSTRAX_TEST_SHARED_PYTHON';
const OWNER = 'BOOTSTRAX_TEST_SHARED_PYTHON_OWNER';

/** For `globalSetup`: one Python for all files of a run of Vitest, started by the first that needs it. */
export default async function setup(): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'bootstrax-warm-'));
  process.env[FOLDER] = folder;
  process.env[OWNER] = String(process.pid);
  return async () => {
    await WarmPython.endIn(folder);
    await rm(folder, { recursive: true, force: true });
  };
}

/** What managers are to take for Python; null outside Vitest, where nobody ends a shared one. */
export async function sharedPython(): Promise<string | null> {
  const folder = process.env[FOLDER];
  if (folder === undefined) return null;
  if (await isFirst(folder)) {
    await WarmPython.start(folder, { owner: Number(process.env[OWNER]) });
  }
  const path = WarmPython.pathIn(folder);
  await until('the shared Python to be warm', () => existsSync(path));
  return path;
}

async function isFirst(folder: string): Promise<boolean> {
  try {
    await mkdir(join(folder, 'started'));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}
