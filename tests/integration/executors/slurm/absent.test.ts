import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

import { Lab, until } from '../../../support/lab.ts';
import { smallMachine } from '../../../support/small-machine.ts';
import { endedRun, makeStandIn } from '../../../support/stand-in.ts';

let lab: Lab;

beforeEach(async () => {
  lab = await Lab.start({ warmPython: false });
  await mkdir(join(lab.root, 'shared'));
}, 60_000);

afterEach(() => lab.end(), 60_000);

test('without a Slurm that answers all runs are processed here, and people are told in a sentence', async () => {
  const python = await makeStandIn(lab);
  const programs = join(lab.root, 'programs');
  await mkdir(programs);
  for (const name of ['sbatch', 'squeue', 'scancel']) {
    const lines = '#!/bin/sh\necho Unable to contact slurm controller >&2\nexit 1\n';
    await writeFile(join(programs, name), lines, { mode: 0o755 });
  }
  const env = {
    BOOTSTRAX_PYTHON: python,
    PATH: `${programs}:${process.env['PATH'] ?? ''}`,
    BOOTSTRAX_SLURM_SHARED: join(lab.root, 'shared'),
  };
  const config = smallMachine({
    targets: { default: ['raw_records'], postProcessing: [] },
    worker: { warmUp: false },
    slurm: { enabled: true, shared: join(lab.root, 'shared'), backlogMinutes: 0.01 },
  });
  await lab.manager({ config, env });
  await lab.insertRuns(await endedRun(lab, 1, 7200), await endedRun(lab, 2, 7200));
  for (const run of [1, 2]) await lab.reached(run, ['done'], 120);
  const told = await until(
    'the sentence',
    async () => {
      const found = await lab.runsDatabase
        .collection('bootstrax')
        .findOne({ cluster_ready: false });
      return /squeue/.test(String(found?.['cluster'])) ? found : null;
    },
    120,
  );
  expect(told).toMatchObject({ accepting: true, cluster_ready: false });
  const status = await lab.command(['status'], { env });
  expect(status.stdout).toMatch(/no job is begun: .*(squeue|Slurm)/);
  const { code, stdout } = await lab.command(['doctor', '--slurm'], { env });
  expect(code).toBe(1);
  expect(stdout).toMatch(/squeue/);
});
