import { randomBytes } from 'node:crypto';
import { realpath } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

import { makeFolder, remove, renameDurable } from '../../infra/disk/durable.ts';
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
    await makeFolder('place.make', here);
    await renameDurable('place.publish', here, there);
    await renameDurable('place.publish', there, here);
    return null;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error;
    return { kind: 'apart', isMountPoint: await isMountPoint(output) };
  } finally {
    for (const path of [here, there]) await remove('place.remove', path).catch(() => undefined);
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
