import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { Lab } from '../../../support/lab.ts';
import { configuration } from '../../../support/small-machine.ts';
import { lastJson } from '../../cli/bundle.ts';

const HOST = 'alpha.test.local';
const TAKE = ['--seconds', '3', '--chunk-seconds', '1', '--speed', '0', '--rate', '5'];
const PATIENCE_MS = 300_000;

let lab: Lab;
beforeAll(async () => {
  lab = await Lab.start();
});
afterAll(() => lab.end());

interface Outcome {
  trial: { run: number; state: string; reason: string | null }[];
  output: string;
}

/** Everything that a trial must leave as it is. */
async function productionState() {
  const documents: Record<string, unknown> = {};
  for (const name of [lab.runsDb, lab.daqDb]) {
    const database = lab.client.db(name);
    for (const { name: collection } of await database.listCollections().toArray()) {
      const found = await database.collection(collection).find().sort({ _id: 1 }).toArray();
      documents[`${name}.${collection}`] = found;
    }
  }
  const files = (folder: string) => readdir(folder, { recursive: true }).then((all) => all.sort());
  return { documents, live: await files(lab.live), output: await files(lab.output) };
}

test(
  'a trial processes the runs that wait, and changes nothing there is',
  async () => {
    const numbers = await lab.takeRuns(['--runs', '2', ...TAKE]);
    const before = await productionState();
    const { code, stdout, stderr } = await lab.command(['run', '--test', '--infer_mode', '--json']);
    const { trial, output } = lastJson(stdout) as unknown as Outcome;
    expect(trial.map(({ run, state }) => ({ run, state })).sort((a, b) => a.run - b.run)).toEqual(
      numbers.map((run) => ({ run, state: 'done' })),
    );
    expect(code, stderr).toBe(0);
    expect(await productionState()).toEqual(before);
    // Its products are its own.
    expect(output.startsWith(join(lab.stateDir(HOST), 'trial'))).toBe(true);
    const products = await readdir(output);
    for (const number of numbers) {
      expect(products.some((name) => name.startsWith(String(number).padStart(6, '0')))).toBe(true);
    }
  },
  PATIENCE_MS,
);

test(
  'beside a manager of the same host a run is tried that this one has processed, and stays so',
  async () => {
    const manager = await lab.manager();
    await manager.event('manager.ready');
    const [number] = await lab.takeRuns(TAKE);
    const before = await lab.reached(number!, ['done']);
    await manager.event('attempt.ended', { run: number!, outcome: 'done' });
    const { code, stdout, stderr } = await lab.command([
      ...['run', '--test', '--process', String(number), '--json'],
    ]);
    expect(lastJson(stdout)).toMatchObject({ trial: [{ run: number, state: 'done' }] });
    expect(code, stderr).toBe(0);
    expect(await lab.run(number!)).toEqual(before);
    expect(manager.child.exitCode).toBeNull();
    expect(manager.lines.some(({ event }) => event === 'manager.crashed')).toBe(false);
    for (const { location } of before.data) {
      await expect(readdir(String(location))).resolves.not.toEqual([]);
    }
  },
  PATIENCE_MS,
);

test(
  'a run that fails in a trial is reported, with exit code 1',
  async () => {
    const [number] = await lab.takeRuns(TAKE);
    const config = configuration({
      worker: { contextOptions: { fail_in: 'peaklets' } },
      disk: { maxUsedPercent: 100, minFreeBytes: 0 },
    });
    const { code, stdout } = await lab.command(['run', `--test=${number}`, '--json'], { config });
    const { trial } = lastJson(stdout) as unknown as Outcome;
    expect(trial).toMatchObject([{ run: number, state: 'failed' }]);
    expect(trial[0]?.reason).toContain('peaklets was asked to fail');
    expect(code).toBe(1);
  },
  PATIENCE_MS,
);

test('a run that is not there is an error', async () => {
  const { code, stderr } = await lab.command(['run', '--test', '99999']);
  expect(stderr).toContain('there is no run 99999');
  expect(code).toBe(1);
});
