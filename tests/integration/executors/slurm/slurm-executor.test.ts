import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import type { Plan } from '../../../../src/attempt/attempt.pure.ts';
import { newAttemptId } from '../../../../src/attempt/files/attempt-directory.ts';
import {
  keepFromJobs,
  noteJobEnvironment,
  noteSubmit,
  readJobFiles,
} from '../../../../src/executors/slurm/job-files.ts';
import { SlurmClient } from '../../../../src/executors/slurm/slurm-client.ts';
import { SlurmExecutor } from '../../../../src/executors/slurm/slurm-executor.ts';
import { SlurmQueue } from '../../../../src/executors/slurm/slurm-queue.ts';
import { systemClock } from '../../../../src/infra/clock/clock.ts';
import { type SlurmCluster, startSlurm } from '../../../support/slurm-cluster.ts';
import { until } from '../../../support/until.ts';

const WORKER = resolve(import.meta.dirname, '../../../../worker');
const PYTHON = resolve(import.meta.dirname, '../../../../.venv/bin/python');
const NOWHERE = { partition: '', account: '', qos: '', reservation: '', clusters: '', extra: [] };
const SMALL = { cores: 1, memoryBytes: 200e6, seconds: 1800 };

let cluster: SlurmCluster;
let shared: string;
let ends: AbortController;
let client: SlurmClient;
let queue: SlurmQueue;

beforeAll(async () => {
  cluster = await startSlurm();
  process.env['SLURM_CONF'] = cluster.configuration;
}, 60_000);

afterAll(async () => {
  delete process.env['SLURM_CONF'];
  await cluster.stop();
});

beforeEach(async () => {
  shared = await mkdtemp(join(tmpdir(), 'bx-shared-'));
  ends = new AbortController();
  client = new SlurmClient({ user: userInfo().username });
  queue = new SlurmQueue(client, systemClock);
  void queue.run(ends.signal);
  await until('the first listing', () => queue.answer !== null);
});

afterEach(async () => {
  ends.abort();
  for (const job of await client.list()) await client.cancel(job.attempt);
  // Jobs that have just begun write their last words.
  await rm(shared, { recursive: true, force: true, maxRetries: 20, retryDelay: 200 });
});

function executor(setup = '', to = NOWHERE): SlurmExecutor {
  return new SlurmExecutor({
    ...{ client, queue, clock: systemClock, to, setup, python: PYTHON, packageDirectory: WORKER },
    ...{ maxJobs: 20, maxPending: 4, host: 'eb.lab', resourcesOf: () => SMALL },
    script: join(WORKER, 'bootstrax_worker/slurm_job.sh'),
    problem: () => null,
    submitsPerMinute: 100,
    sees: () => null,
    onFirst: () => undefined,
  });
}

/** No run at all: a job that begins ends at once, with the exit code of a plan that cannot be read. */
async function attempt(): Promise<{ plan: Plan; directory: string }> {
  const id = newAttemptId();
  const directory = join(shared, id);
  await mkdir(directory);
  await writeFile(join(directory, 'followed'), '0');
  return { plan: { attempt: id, run: 7 } as Plan, directory };
}

async function follow(directory: string): Promise<void> {
  await writeFile(join(directory, 'followed'), '1');
}

const jobsOf = async (plan: Plan) =>
  (await client.list()).filter(({ attempt: id }) => id === plan.attempt);
const over = async (directory: string) => (await readJobFiles(directory)).exit;
const owner = async (directory: string) => (await readJobFiles(directory)).begun;

describe('an attempt as a job', () => {
  it('begins on a node once a manager follows it, and leaves its last word', async () => {
    const { plan, directory } = await attempt();
    const start = await executor().start(plan, directory);
    if (start.kind !== 'started') throw new Error(start.reason);
    await until('the beginning of the job', async () => (await owner(directory)) !== null);
    expect(start.reach.life()).toBe('waiting');
    expect(await readdir(directory)).not.toContain('job-exit.json');
    await follow(directory);
    const exit = await until('the last word of the job', () => over(directory));
    expect(exit).toMatchObject({ code: 2, stopped: null, restarts: 0 });
    expect((await owner(directory))?.node).toMatch(/^node[12]$/);
  });

  it('of which two jobs exist is begun by one of them', async () => {
    const { plan, directory } = await attempt();
    await executor().start(plan, directory);
    const job = { attempt: plan.attempt, run: 7, host: 'eb.lab', directory, resources: SMALL };
    const script = join(WORKER, 'bootstrax_worker/slurm_job.sh');
    await client.submit({ ...job, script, excluded: [] }, NOWHERE);
    const log = () => readFile(join(directory, 'job.log'), 'utf8').catch(() => '');
    await until('the refusal of the other job', async () =>
      (await log()).includes('it was begun already'),
    );
    await follow(directory);
    await until('the last word of the job', () => over(directory));
    expect((await readdir(directory)).filter((name) => name.startsWith('begun'))).toEqual([
      'begun',
    ]);
    expect((await log()).match(/begun already/g)).toHaveLength(1);
  });

  it('that was taken from its jobs is never begun', async () => {
    const { plan, directory } = await attempt();
    expect(await keepFromJobs(directory)).toBe(true);
    const start = await executor().start(plan, directory);
    if (start.kind !== 'started') throw new Error(start.reason);
    expect(start.reach.life()).toBe('gone');
    await follow(directory);
    await until('the end of the job', async () =>
      (await jobsOf(plan)).every(({ state }) => state === 'FAILED'),
    );
    expect(await over(directory)).toBeNull();
  });

  it('whose job was never asked for is over', async () => {
    const { plan, directory } = await attempt();
    const reach = await executor().find({ id: plan.attempt, directory, started: null });
    expect(reach?.life()).toBe('gone');
  });

  it('is found by its name where the answer of sbatch was lost', async () => {
    const { plan, directory } = await attempt();
    await noteJobEnvironment(directory, { python: PYTHON, packageDirectory: WORKER, setup: '' });
    await noteSubmit(directory, { run: 7, resources: SMALL, times: 1 });
    const script = join(WORKER, 'bootstrax_worker/slurm_job.sh');
    const job = { attempt: plan.attempt, run: 7, host: 'eb.lab', directory, resources: SMALL };
    await client.submit({ ...job, script, excluded: [] }, NOWHERE);
    queue.hurry();
    const by = executor();
    const reach = await until('the job', () =>
      by.find({ id: plan.attempt, directory, started: null }),
    );
    expect(reach?.where).toMatchObject({ executor: 'slurm' });
  });

  it('that waits is ended at once, and its job goes', async () => {
    const { plan, directory } = await attempt();
    const by = executor('', { ...NOWHERE, extra: ['--begin=now+1hour'] } as typeof NOWHERE);
    const start = await by.start(plan, directory);
    if (start.kind !== 'started') throw new Error(start.reason);
    expect(await start.reach.end(3)).toEqual({ kind: 'ended' });
    await until('the end of the job', async () =>
      (await jobsOf(plan)).every(({ state }) => state.startsWith('CANCELLED')),
    );
  });

  it('whose partition does not exist is refused, in words of Slurm', async () => {
    const { plan, directory } = await attempt();
    const start = await executor('', { ...NOWHERE, partition: 'nowhere' }).start(plan, directory);
    expect(start).toMatchObject({ kind: 'refused' });
    expect(start.kind === 'refused' && start.reason).toContain(
      'invalid partition specified: nowhere',
    );
  });

  it('is not begun with a script of the site that fails', async () => {
    const { plan, directory } = await attempt();
    const setup = join(shared, 'setup.sh');
    await writeFile(setup, 'echo no module strax >&2; return 1\n');
    const start = await executor(setup).start(plan, directory);
    expect(start.kind).toBe('started');
    const log = () => readFile(join(directory, 'job.log'), 'utf8').catch(() => '');
    await until('the end of the script', async () => (await log()).includes('setup.sh failed'));
    expect(await log()).toContain('no module strax');
    expect(await owner(directory)).toBeNull();
  });

  it('passes nothing of the manager to the job', async () => {
    const { plan, directory } = await attempt();
    const setup = join(shared, 'setup.sh');
    await writeFile(setup, `env > ${shared}/environment\n`);
    process.env['BOOTSTRAX_MONGO_PASSWORD'] = 'secret-word';
    try {
      await executor(setup).start(plan, directory);
      await until('the beginning of the job', async () => (await owner(directory)) !== null);
    } finally {
      delete process.env['BOOTSTRAX_MONGO_PASSWORD'];
    }
    expect(await readFile(join(shared, 'environment'), 'utf8')).not.toContain('secret-word');
  });
});
