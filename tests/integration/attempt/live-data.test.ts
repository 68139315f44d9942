import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { Lab } from '../../support/lab.ts';

const RUN = ['--seconds', '3', '--speed', '0', '--chunk-seconds', '1', '--rate', '5'];

let lab: Lab;
beforeAll(async () => {
  lab = await Lab.start();
});
afterAll(() => lab.end());

/** All files below a folder, with size and time of change. */
function files(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .sort()
    .map((name) => {
      const { size, mtimeMs } = statSync(join(folder, name));
      return `${name} ${size} ${mtimeMs}`;
    });
}

test('live data is only read: files and entry are as they were when the run is done', async () => {
  const [number] = await lab.takeRuns(RUN);
  const before = files(lab.live);
  const taken = await lab.run(number!);
  expect(before.length).toBeGreaterThan(10);
  const manager = await lab.manager();
  const done = await lab.reached(number!, ['done']);
  expect(files(lab.live)).toEqual(before);
  expect(done.data.filter(({ type }) => type === 'live')).toEqual(taken.data);
  expect(taken.data).toHaveLength(1);
  expect(done['deleted_data'] ?? []).toEqual([]);
  await manager.kill();
});

test('runs without a pulse, of a detector that saw nothing, and of no length at all are done', async () => {
  const [empty] = await lab.takeRuns([...RUN, '--fault', 'empty-run']);
  const [vetoes] = await lab.takeRuns([
    ...[...RUN, '--fault', 'empty-run', '--detectors', 'neutron_veto,muon_veto'],
  ]);
  const [instant] = await lab.takeRuns([...RUN, '--seconds', '0.5']);
  const { start } = await lab.run(instant!);
  await lab.runs.updateOne({ number: instant! }, { $set: { end: start } });
  const manager = await lab.manager();
  for (const number of [empty!, vetoes!, instant!]) {
    const run = await lab.reached(number, ['done', 'failed']);
    expect(run.bootstrax).toMatchObject({ state: 'done' });
    expect(run.bootstrax.n_failures ?? 0).toBe(0);
  }
  await manager.kill();
});
