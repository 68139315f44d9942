import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';

import { until } from '../support/lab.ts';
import { HASTE, ours } from './haste.ts';
import { Site } from './site.ts';

// The reference and ours take turns on one host, with the same output folder.

const HOST = 'eb4.xenon.local';
/** In real time, and longer than a lease of the test. */
const LONG = [
  '--seconds',
  '30',
  '--chunk-seconds',
  '1',
  '--overlap-seconds',
  '0.2',
  '--speed',
  '1',
];

let site: Site;
let taking: Promise<unknown> = Promise.resolve();

beforeAll(async () => {
  site = await Site.start();
  await site.makeOutput(HOST);
});
afterEach(async () => {
  await site.endManagers();
  await taking;
});
afterAll(() => site.end());

/** Begins to take a run; answers its number. */
async function takeLong(): Promise<number> {
  const known = await site.lab.runs.countDocuments();
  taking = site.lab.takeRuns(LONG);
  const [newest] = await until('a run to begin', async () => {
    const runs = await site.lab.runs.find().sort({ number: -1 }).toArray();
    return runs.length > known ? runs : null;
  });
  return newest!.number;
}

const run = (number: number) => site.lab.run(number);
const told = async (error: unknown): Promise<never> => {
  throw new Error(`${String(error)}\n${await site.stories()}`);
};
const products = async () =>
  (await readdir(site.output(HOST))).filter((name) => !name.endsWith('_temp'));
const hasBegun = (number: number) =>
  until('the reference to write products', async () => {
    const { bootstrax } = await run(number);
    const names = await readdir(site.output(HOST));
    return bootstrax.state === 'busy' && names.some((name) => name.endsWith('_temp'));
  }).catch(told);

test('the child of a reference whose manager was killed ends before ours begins its run', async () => {
  const reference = await site.referenceProgram(HOST, HASTE.reference);
  const number = await takeLong();
  await hasBegun(number);
  await reference.kill();

  const manager = await ours(site, HOST);
  const { pids } = await manager.event('attempt.waits', { run: number });
  const [child] = pids as number[];
  const lives = () => existsSync(`/proc/${child}`);
  expect(lives()).toBe(true);
  await until('the child to end', async () => {
    const { bootstrax } = await run(number);
    // It may end between the two looks.
    if (lives()) expect(bootstrax.state).toBe('considering');
    return !lives();
  });
  const done = await site.lab.reached(number, ['done']);
  expect(done.bootstrax).toMatchObject({ host: HOST });
  expect(done.bootstrax.n_failures ?? 0).toBe(0);
  for (const { location } of done.data.filter(({ host }) => host === HOST)) {
    expect(existsSync(String(location))).toBe(true);
  }
});

test('a run of ours that the reference goes on with is left to it until it is done', async () => {
  const before = await ours(site, HOST);
  const number = await takeLong();
  await before.event('attempt.started', { run: number });
  const { bootstrax: held } = await run(number);
  await before.kill('SIGTERM');
  await site.lab.runs.updateOne(
    { number: number },
    {
      $set: {
        'bootstrax.state': 'failed',
        'bootstrax.next_retry': new Date(0),
        'bootstrax.n_failures': 1,
      },
    },
  );
  await site.referenceProgram(HOST, HASTE.reference);
  await hasBegun(number);
  expect((await run(number)).bootstrax.attempt).toBe(held.attempt);

  const after = await ours(site, HOST);
  await after.event('manager.ready');
  const done = await site.lab.reached(number, ['done'], 120).catch(told);
  expect(done.bootstrax).toMatchObject({ host: HOST, attempt: held.attempt, n_failures: 1 });
  expect(after.lines.filter(({ event }) => event === 'run.claimed')).toEqual([]);
  expect((await products()).length).toBeGreaterThan(5);
});
