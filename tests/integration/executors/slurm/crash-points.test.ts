import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { SLURM_POINTS } from '../../../faults/crash-points/elsewhere.ts';
import { until } from '../../../support/lab.ts';
import { SlurmLab } from '../../../support/slurm-lab.ts';

const HOST = 'alpha.test.local';
const READY = { host: HOST, cluster_ready: true };

let slurm: SlurmLab;
let next = 1;

beforeAll(async () => {
  slurm = await SlurmLab.start();
}, 60_000);

afterAll(() => slurm.end(), 60_000);

/** Those of the end of a job that a person no longer wants. */
const isOfAnEnd = (point: string) => point.startsWith('job-begun.');
/** Those of the proof that the nodes see the storage. */
const isOfProof = (point: string) => /^(slurm-proof|node-probe)[.]/.test(point);

/** A manager that is cut there, once it has come so far; another one then brings the run to its end. */
async function cutAt(point: string, wanted: () => Promise<void>): Promise<void> {
  const first = await slurm.manager({
    unproved: isOfProof(point),
    options: point.startsWith('job-begun.remove') ? { sleep_seconds: 20 } : {},
    env: { BOOTSTRAX_CRASH_AT: point },
  });
  await wanted();
  await first.exited;
  expect(first.child.signalCode, first.story()).toBe('SIGKILL');
}

async function abandon(number: number): Promise<void> {
  await slurm.lab.runs.updateOne({ number }, {
    $push: { tags: { name: 'abandon', user: 'test', date: new Date() } },
  } as never);
}

test.each(SLURM_POINTS.filter((point) => !isOfAnEnd(point) && !isOfProof(point)))(
  'a manager that is killed at %s loses no run, and no attempt is begun twice',
  async (point) => {
    const { lab } = slurm;
    const [number = 0] = await slurm.finishedRuns(1, next++);
    const waits = point.startsWith('runs.renew_waiting');
    const free = waits ? await slurm.occupy() : () => Promise.resolve();
    await cutAt(point, () => Promise.resolve());
    const second = await slurm.manager();
    await free();
    const run = await lab.reached(number, ['done'], 240);
    expect(run.bootstrax.n_failures ?? 0).toBe(0);
    const attempts = await lab.attempts.find({ run: number }).toArray();
    for (const { _id } of attempts) {
      const begun = (await slurm.files(_id)).filter((name) => name.startsWith('begun'));
      expect(begun.length).toBeLessThanOrEqual(1);
    }
    await second.kill();
  },
  300_000,
);

test.each(SLURM_POINTS.filter(isOfAnEnd))(
  'a manager that is killed at %s still ends what nobody wants',
  async (point) => {
    const { lab } = slurm;
    const [number = 0] = await slurm.finishedRuns(1, next++);
    const runs = point.startsWith('job-begun.remove');
    const free = runs ? () => Promise.resolve() : await slurm.occupy();
    await cutAt(point, async () => {
      if (runs) await lab.reached(number, ['busy'], 120);
      else await slurm.waiting(number);
      await abandon(number);
    });
    const second = await slurm.manager();
    const run = await lab.reached(number, ['abandoned'], 120);
    expect(run.bootstrax.n_failures ?? 0).toBe(0);
    await free();
    await second.kill();
  },
  300_000,
);

test.each(SLURM_POINTS.filter(isOfProof))(
  'a manager that is killed at %s proves the storage of the nodes at its next start, and leaves nothing there',
  async (point) => {
    const { lab } = slurm;
    const proof = join(lab.stateDir(HOST), 'slurm-proof.json');
    await rm(proof, { force: true });
    await lab.runsDatabase.collection('bootstrax').deleteOne({ host: HOST });
    await cutAt(point, () => Promise.resolve());
    const second = await slurm.manager({ unproved: true });
    await until('the proof', () => lab.runsDatabase.collection('bootstrax').findOne(READY), 120);
    expect(JSON.parse(await readFile(proof, 'utf8'))).toMatchObject({ problem: null });
    expect(await readdir(join(lab.root, 'shared/probes'))).toEqual([]);
    await second.kill();
  },
  300_000,
);
