import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { until } from '../../../support/lab.ts';
import { SlurmLab } from '../../../support/slurm-lab.ts';

let slurm: SlurmLab;

beforeEach(async () => {
  slurm = await SlurmLab.start();
}, 60_000);

afterEach(() => slurm.end(), 60_000);

test('backlog is processed as jobs and published by the manager', async () => {
  const { lab } = slurm;
  const numbers = await slurm.finishedRuns(3);
  await slurm.manager();
  for (const number of numbers) {
    const run = await lab.reached(number, ['done'], 60);
    expect(run.bootstrax).not.toHaveProperty('job');
    const attempt = run.bootstrax.last_attempt ?? '';
    const history = await lab.attempts.findOne({ run: number });
    expect(history?.plan).toMatchObject({ executor: 'slurm', job: { memoryBytes: 5e8 } });
    expect(await slurm.files(attempt)).toEqual(
      expect.arrayContaining(['begun', 'exit.json', 'job-exit.json', 'result.json']),
    );
  }
  expect(await readdir(lab.output)).toHaveLength(numbers.length);
});

test('a run goes on where its manager is killed while its job waits, and while it runs', async () => {
  const { lab } = slurm;
  const [number = 0] = await slurm.finishedRuns(1);
  const free = await slurm.occupy();
  const options = { sleep_seconds: 6 };
  const first = await slurm.manager({ options });
  const attempt = await slurm.waiting(number);
  expect((await lab.run(number)).bootstrax).toMatchObject({
    ...{ state: 'considering', job: { executor: 'slurm' } },
  });
  await first.kill();
  const second = await slurm.manager({ options });
  await second.event('attempt.adopted', { run: number });
  await free();
  await lab.reached(number, ['busy', 'done'], 60);
  await second.kill();
  await slurm.manager({ options });
  const run = await lab.reached(number, ['done'], 60);
  expect(run.bootstrax.last_attempt).toBe(attempt);
  expect(run.bootstrax.n_failures ?? 0).toBe(0);
  expect(await lab.attempts.countDocuments({ run: number })).toBe(1);
  expect((await slurm.files(attempt)).filter((name) => name.startsWith('begun'))).toEqual([
    'begun',
  ]);
});

describe('a run whose job waits', () => {
  test.each([
    ['hold', 'failed'],
    ['abandon', 'abandoned'],
  ])('%s: its job is cancelled, and the run is %s', async (verb, state) => {
    const { lab } = slurm;
    const [number = 0] = await slurm.finishedRuns(1);
    await slurm.occupy();
    await slurm.manager();
    const attempt = await slurm.waiting(number);
    const answer = await lab.command([verb, String(number), '--reason', 'enough']);
    expect(answer.code, answer.stderr).toBe(0);
    const run = await lab.reached(number, [state], 20);
    expect(run.bootstrax.n_failures ?? 0).toBe(0);
    await until('the end of its job', async () => {
      const states = await slurm.states(attempt);
      return states.length > 0 && states.every((each) => each.startsWith('CANCELLED'));
    });
  });

  test('that another host takes over is never begun', async () => {
    const { lab } = slurm;
    const [number = 0] = await slurm.finishedRuns(1);
    const free = await slurm.occupy();
    const first = await slurm.manager();
    const attempt = await slurm.waiting(number);
    first.child.kill('SIGSTOP');
    const other = { attempt: 'f'.repeat(24), host: 'beta.test.local' };
    await lab.runs.updateOne({ number }, [
      { $set: { bootstrax: { ...other, time: '$$NOW', attempt_time: '$$NOW' } } },
    ]);
    await free();
    await until('the job to have its place', async () =>
      (await slurm.files(attempt)).includes('begun'),
    );
    first.child.kill('SIGCONT');
    await until('the end of its job', async () =>
      (await slurm.states(attempt)).every((each) => !['PENDING', 'RUNNING'].includes(each)),
    );
    expect(await slurm.files(attempt)).not.toContain('started.json');
    expect((await lab.run(number)).bootstrax).toMatchObject(other);
  });
});

test('a job with too little memory gets more the next time, and makes all that was wanted', async () => {
  const { lab } = slurm;
  const [number = 0] = await slurm.finishedRuns(1);
  await slurm.manager({ options: { sleep_seconds: 4, allocate_mb: 800 } });
  await lab.reached(number, ['done'], 240);
  const history = await lab.attempts.find({ run: number }).sort({ started: 1 }).toArray();
  const memory = history.map(
    ({ plan }) => (plan as unknown as { job: { memoryBytes: number } }).job.memoryBytes,
  );
  expect(memory.length).toBeLessThanOrEqual(3);
  expect(memory).toEqual([...memory].sort((one, other) => one - other));
  expect(history.map(({ plan }) => plan.dropped)).toEqual(memory.map(() => []));
});

describe('storage that the nodes may not see as the host does', () => {
  test('is proved by a job before the first run is taken for Slurm', async () => {
    const { lab } = slurm;
    await slurm.manager({ unproved: true });
    await until('the proof', () =>
      lab.runsDatabase.collection('bootstrax').findOne({ cluster_ready: true }),
    );
    expect(await readdir(join(lab.root, 'shared/probes'))).toEqual([]);
    expect(await readdir(`${lab.output}.staging`)).toEqual([]);
    const [number = 0] = await slurm.finishedRuns(1);
    const { bootstrax } = await lab.reached(number, ['done'], 60);
    const history = await lab.attempts.findOne({ _id: bootstrax.last_attempt as never });
    expect(history?.plan).toMatchObject({ executor: 'slurm' });
  });

  test('keeps all runs here, with a sentence that says what to do', async () => {
    const { lab } = slurm;
    const setup = join(lab.root, 'setup.sh');
    await writeFile(setup, 'echo no module strax >&2; return 1\n');
    await slurm.manager({ unproved: true, slurm: { setup } });
    const document = await until('the finding', async () => {
      const found = await lab.runsDatabase
        .collection('bootstrax')
        .findOne({ host: 'alpha.test.local' });
      return /fails/.test(String(found?.['cluster'])) ? found : undefined;
    });
    expect(document).toMatchObject({ cluster_ready: false });
    expect(document?.['cluster']).toMatch(
      /slurm\.setup fails on node[12] \(no module strax\): correct it/,
    );
    const [number = 0] = await slurm.finishedRuns(1);
    const { bootstrax } = await lab.reached(number, ['done'], 60);
    const history = await lab.attempts.findOne({ _id: bootstrax.last_attempt as never });
    expect(history?.plan).not.toHaveProperty('executor');
  });

  test('is tried by doctor, which leaves nothing behind and says what is wrong', async () => {
    const { lab } = slurm;
    const tried = async (env: Record<string, string>) => {
      const shared = { BOOTSTRAX_SLURM_SHARED: join(lab.root, 'shared') };
      const of = { env: { ...shared, BOOTSTRAX_PYTHON: slurm.python, ...env } };
      const { stdout } = await lab.command(['doctor', '--slurm', '--json'], of);
      return JSON.parse(stdout) as { ok: boolean; checks: { says: string; todo: string | null }[] };
    };
    const good = await tried({});
    expect(good, JSON.stringify(good)).toMatchObject({ ok: true });
    expect(good.checks.map(({ says }) => says).join('\n')).toMatch(
      /squeue answers.*\n.*node[12] writes in .*\n.*finds the worker/,
    );
    expect(await readdir(join(lab.root, 'shared/probes'))).toEqual([]);
    const bad = await tried({ BOOTSTRAX_SLURM_PARTITION: 'nowhere' });
    expect(bad.ok).toBe(false);
    expect(bad.checks.at(-1)).toMatchObject({
      ...{
        says: /invalid partition/,
        todo: 'correct slurm.partition (nowhere), or have the site allow it for this user',
      },
    });
  });
});
