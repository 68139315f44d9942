import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { readJobFiles } from '../../../../src/executors/slurm/job-files.ts';
import { SlurmQueue } from '../../../../src/executors/slurm/slurm-queue.ts';
import { SlurmReach } from '../../../../src/executors/slurm/slurm-reach.ts';

const ID = 'a'.repeat(24);
const EXIT = '{"code": 0, "stopped": null, "job": "7", "node": "n1", "restarts": 0}\n';

let directory: string;
let seconds: number;
/** What happens while somebody waits. */
let onSleep: () => Promise<void>;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'bx-reach-'));
  [seconds, onSleep] = [0, () => Promise.resolve()];
});

afterEach(() => rm(directory, { recursive: true }));

async function reach(): Promise<SlurmReach> {
  const clock = {
    monotonicSeconds: () => seconds,
    sleep: async (pause: number) => {
      seconds += pause;
      await onSleep();
    },
  };
  // A controller that is away: whoever asks it has waited in vain.
  const never = () => Promise.reject(new Error('Slurm was asked'));
  const client = { cancel: never, askForStacks: never, list: never };
  const queue = new SlurmQueue(client, clock);
  const trace = { id: ID, directory, started: null };
  return new SlurmReach(
    { client, queue, clock, cluster: '', nodeFailed: () => undefined },
    trace,
    await readJobFiles(directory),
  );
}

describe('the end of a job without a controller', () => {
  it('is there with the last word of its shell, and nobody asks Slurm', async () => {
    const job = await reach();
    await writeFile(join(directory, 'exit.json'), '{}');
    onSleep = () => writeFile(join(directory, 'job-exit.json'), EXIT);
    expect(await job.end(3)).toEqual({ kind: 'ended' });
    expect(job.life()).toBe('gone');
    expect(seconds).toBeLessThan(1);
  });

  it('is asked for where nothing of it has ended', async () => {
    await expect((await reach()).end(3)).rejects.toThrow('Slurm was asked');
  });
});
