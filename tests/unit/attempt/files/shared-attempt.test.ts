import {
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { Plan } from '../../../../src/attempt/attempt.pure.ts';
import {
  attemptDirectory,
  createAttempt,
  listOpenAttempts,
  markConcluded,
  newAttemptId,
  pruneAttempts,
  readAttempt,
} from '../../../../src/attempt/files/attempt-directory.ts';
import { attemptsOnDisk } from '../../../../src/attempt/files/attempt-files-on-disk.ts';

const RETENTION = { keep: 0, maxBytes: 1e9, maxLogBytes: 1e6 };
let root: string;
let state: string;
let shared: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'bx-shared-'));
  [state, shared] = [join(root, 'state'), join(root, 'shared')];
});

afterEach(() => rm(root, { recursive: true }));

const plan = (attempt: string): Plan => ({
  ...{ version: 1, attempt, run: 7, runId: '000007', host: 'eb', context: 'm:f' },
  ...{ contextOptions: {}, targets: ['x'], postProcessing: [], processor: 'single_thread' },
  ...{ cores: 1, maxMessages: 4, timeoutSeconds: 60, recordsCompressor: 'lz4', runConfig: {} },
  ...{ liveDataDirectory: '/live', outputDirectory: '/out', failures: 0, dropped: [] },
  ...{ orphanLimitSeconds: 900, reasons: [], executor: 'slurm' },
});

async function made(): Promise<{ id: string; directory: string }> {
  const id = newAttemptId();
  return { id, directory: await createAttempt(state, plan(id), shared) };
}

describe('the directory of an attempt on shared storage', () => {
  it('is found through the state folder of its manager, and nobody else may read it', async () => {
    const { id, directory } = await made();
    expect(directory).toBe(join(shared, 'attempts', id));
    expect((await stat(directory)).mode & 0o777).toBe(0o700);
    expect(await listOpenAttempts(state)).toEqual([id]);
    expect(await readAttempt(state, id)).toMatchObject({ directory, plan: { run: 7 } });
    await markConcluded(attemptDirectory(state, id));
    expect(await listOpenAttempts(state)).toEqual([]);
    expect(await readdir(directory)).toContain('concluded');
  });

  it('is removed with its link, and what other managers have there stays', async () => {
    const { id, directory } = await made();
    await markConcluded(directory);
    await mkdir(join(shared, 'attempts', newAttemptId()));
    expect(await pruneAttempts(state, RETENTION)).toEqual([id]);
    expect(await readdir(join(state, 'attempts'))).toEqual([]);
    expect(await readdir(join(shared, 'attempts'))).toHaveLength(1);
  });

  it('of which only the link was made goes with the next pruning, unless the storage is away', async () => {
    const { id } = await made();
    await rm(join(shared, 'attempts', id), { recursive: true });
    await rename(shared, `${shared}-away`);
    expect(await readAttempt(state, id)).toBeNull();
    await pruneAttempts(state, RETENTION);
    expect(await readdir(join(state, 'attempts'))).toEqual([id]);
    await rename(`${shared}-away`, shared);
    await pruneAttempts(state, RETENTION);
    expect(await readdir(join(state, 'attempts'))).toEqual([]);
  });

  it('that is a link itself is not removed', async () => {
    const { id, directory } = await made();
    const foreign = join(root, 'foreign');
    await mkdir(foreign);
    await writeFile(join(foreign, 'concluded'), '');
    await rm(directory, { recursive: true });
    await symlink(foreign, directory);
    await pruneAttempts(state, RETENTION);
    expect(await readdir(foreign)).toEqual(['concluded']);
    expect(id).not.toBe('');
  });

  it('shows that it is followed by what the file holds, not by its time alone', async () => {
    const { directory } = await made();
    const before = await readFile(join(directory, 'followed'), 'utf8');
    await attemptsOnDisk(state, shared).touchFollowed(directory);
    expect(await readFile(join(directory, 'followed'), 'utf8')).not.toBe(before);
  });
});
