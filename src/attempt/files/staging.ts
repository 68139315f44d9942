import { randomBytes } from 'node:crypto';
import { readdir, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

import { makeFolder, remove, removeEmptyFolder, renameDurable } from '../../infra/disk/durable.ts';
import { isMountPoint } from '../../infra/disk/mounts.ts';
import { isWithin } from '../../infra/values/within.pure.ts';
import type { Folders, StagingProblem } from './staging.pure.ts';

const proven = new Set<string>();

/**
 * Why attempts cannot write to their folder and have their products renamed into the output folder;
 * null if they can. Once they could, it is not tried again until `forgetProof`.
 */
export async function provenStaging(folders: Folders): Promise<StagingProblem | null> {
  const pair = JSON.stringify([folders.staging, folders.output]);
  if (proven.has(pair)) return null;
  const problem = await stagingProblem(folders);
  if (problem === null) proven.add(pair);
  return problem;
}

/** A rename was refused although it was proven: what is mounted there has changed. */
export function forgetProof(): void {
  proven.clear();
}

/**
 * The same, tried now: a folder is renamed there and back, since device numbers do not tell (bind
 * mounts, quotas, subvolumes). In the output folder it looks like an unfinished folder of run 0.
 */
export async function stagingProblem({ staging, output }: Folders): Promise<StagingProblem | null> {
  try {
    const there = await realpath(output);
    if (isWithin(await realPlace(staging), there)) return { kind: 'inside' };
    return await tryRename(staging, there);
  } catch (error) {
    return { kind: 'refused', reason: messageOf(error) };
  }
}

async function tryRename(staging: string, output: string): Promise<StagingProblem | null> {
  const name = `000000-probe-${randomBytes(6).toString('hex')}_temp`;
  const [here, there] = [join(staging, name), join(output, name)];
  try {
    await makeFolder('probe.make', here);
    const { mtimeMs } = await stat(here);
    for (const folder of [staging, output]) await clearOldProbes(folder, mtimeMs);
    await renameDurable('probe.rename', here, there);
    await renameDurable('probe.rename', there, here);
    return null;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error;
    return { kind: 'apart', isMountPoint: await isMountPoint(output) };
  } finally {
    for (const path of [here, there]) await remove('probe.remove', path).catch(() => undefined);
  }
}

const PROBE = /^000000-probe-[0-9a-f]{12}_temp$/;
/** A probe takes milliseconds: one that is this much older than another was cut. */
const OLD_PROBE_MS = 60_000;

/** By the times of the file system, which may differ from those of this machine. */
async function clearOldProbes(folder: string, newestMs: number): Promise<void> {
  for (const name of (await readdir(folder)).filter((each) => PROBE.test(each))) {
    const path = join(folder, name);
    // Another host may have removed it meanwhile.
    const times = await stat(path).catch(() => null);
    if (times === null || newestMs - times.mtimeMs <= OLD_PROBE_MS) continue;
    await removeEmptyFolder('probe.remove', path);
  }
}

/** Where a folder lies or would lie, symbolic links followed. */
async function realPlace(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT' || path === dirname(path)) throw error;
    return join(await realPlace(dirname(path)), basename(path));
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
