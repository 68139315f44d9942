import { existsSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { Lab, type ManagerProcess, type StoredRun, until } from '../../support/lab.ts';
import { smallMachine } from '../../support/small-machine.ts';

const TAKE = ['--seconds', '5', '--speed', '0', '--chunk-seconds', '1', '--rate', '40'];
const RUNS = 16;
/** The look at what is set aside comes at once; a retry, were there one, at once as well. */
const CONFIG = smallMachine({ limits: { endOfRunSeconds: 1, housekeepingSeconds: 1 } });
const PATIENCE_MS = 300_000;

let lab: Lab;
let manager: ManagerProcess;
/** Taken, and held back until a test has spoilt them. */
let sound: number[];

beforeAll(async () => {
  lab = await Lab.start();
  sound = await lab.takeRuns([...TAKE, '--runs', String(RUNS)]);
  await lab.runs.updateMany({}, { $set: { tags: [{ name: 'hold-processing' }] } });
  manager = await lab.manager({ config: CONFIG, env: { BOOTSTRAX_DELETE_LIVE: 'true' } });
  await manager.event('manager.ready');
});
afterAll(() => lab.end());

const liveOf = (number: number) => join(lab.live, String(number).padStart(6, '0'));

/** A run that was taken and that no manager has seen: spoilt before it is there for them. */
async function spoilt(
  spoil: (run: { live: string; document: StoredRun }) => Record<string, unknown>,
): Promise<{ number: number; before: StoredRun; live: string }> {
  const number = sound.shift()!;
  const document = await lab.run(number);
  const live = liveOf(number);
  const fields = spoil({ live, document });
  await lab.runs.updateOne({ _id: document._id }, { $set: { ...fields, tags: [] } });
  return { number, before: document, live };
}

async function setAside(number: number, fields: readonly string[]): Promise<StoredRun> {
  const run = await lab.reached(number, ['failed']);
  expect(run.bootstrax, run.bootstrax.reason).toMatchObject({ outcome: 'set_aside' });
  expect(run.bootstrax.malformed?.map(({ field }) => field)).toEqual(fields);
  expect(run.bootstrax.next_retry).toBeUndefined();
  expect(run.bootstrax.n_failures ?? 0).toBe(0);
  const told = await until('the DAQ log to tell', async () => {
    const log = lab.client.db(lab.daqDb).collection('log');
    const found = await log.find({ runid: number, priority: 3 }).toArray();
    return found.length > 0 ? found : null;
  });
  expect(told).toHaveLength(1);
  expect(String(told[0]?.['message'])).toContain('set aside');
  return run;
}

const outcomes = async (number: number) =>
  (await lab.attempts.find({ run: number }).sort({ _id: 1 }).toArray()).map(
    ({ result }) => result?.outcome,
  );

/** Several looks at what is set aside have passed it by. */
async function staysAside(number: number): Promise<void> {
  const before = await lab.run(number);
  const { number: other } = await spoilt(() => ({}));
  await lab.reached(other, ['done']);
  expect((await lab.run(number)).bootstrax).toEqual(before.bootstrax);
}

test(
  'of a run whose end is before its start raw records are made, listed and kept; it waits for its document and is then done',
  async () => {
    const {
      number,
      before: whole,
      live,
    } = await spoilt(({ document: { start } }) => ({
      end: new Date(start.getTime() - 1000),
    }));
    const before = readdirSync(live, { recursive: true });
    const run = await setAside(number, ['end']);
    const made = run.data.filter(({ host }) => host === 'alpha.test.local');
    expect(made.map(({ type }) => type)).toContain('raw_records');
    for (const { location } of made) expect(existsSync(String(location))).toBe(true);
    expect(await outcomes(number)).toEqual(['set_aside']);
    await staysAside(number);
    for (const { location } of made) expect(existsSync(String(location))).toBe(true);
    expect(readdirSync(live, { recursive: true })).toEqual(before);
    await lab.runs.updateOne({ _id: whole._id }, { $set: { end: whole.end } });
    const done = await lab.reached(number, ['done']);
    expect(done.data.map(({ type }) => type)).toContain('event_basics');
    expect(done.bootstrax.n_failures ?? 0).toBe(0);
  },
  PATIENCE_MS,
);

test(
  'of a run with THE_END whose end cannot be read raw records are made and kept',
  async () => {
    const { number } = await spoilt(() => ({ end: 'when it was over' }));
    const run = await setAside(number, ['end']);
    expect(run.data.map(({ type }) => type)).toContain('raw_records');
    expect(await outcomes(number)).toEqual(['set_aside']);
  },
  PATIENCE_MS,
);

test.each<
  [string, (live: string, aside: string) => void, (document: StoredRun) => object, string[]]
>([
  [
    'has THE_END and no chunk',
    (live, aside) => {
      for (const name of readdirSync(live)) {
        if (name !== 'THE_END') renameSync(join(live, name), join(aside, name));
      }
    },
    () => ({}),
    ['(live data)'],
  ],
  [
    'has an empty folder',
    (live, aside) => {
      for (const name of readdirSync(live)) renameSync(join(live, name), join(aside, name));
    },
    () => ({}),
    ['(live data)'],
  ],
  [
    'has no folder',
    (live, aside) => {
      rmSync(aside, { recursive: true });
      renameSync(live, aside);
    },
    () => ({}),
    ['(live data)'],
  ],
  [
    'has no first chunk',
    (live, aside) => {
      for (const name of readdirSync(live).filter((each) => /^000000/.test(each))) {
        renameSync(join(live, name), join(aside, name));
      }
    },
    () => ({}),
    ['(live data)'],
  ],
])(
  'a run that %s is set aside at once, and goes on by itself when its live data is there',
  async (_, remove, fields, expected) => {
    const aside = join(lab.root, `aside-${Math.random()}`);
    await mkdir(aside);
    const { number, live } = await spoilt(({ live: folder, document }) => {
      remove(folder, aside);
      return fields(document) as Record<string, unknown>;
    });
    const run = await setAside(number, expected);
    expect(run.bootstrax.reason).toContain(live);
    expect(run.data.map(({ type }) => type)).toEqual(['live']);
    await staysAside(number);
    expect(await outcomes(number)).toEqual(['set_aside']);
    if (!existsSync(live)) renameSync(aside, live);
    else for (const name of readdirSync(aside)) renameSync(join(aside, name), join(live, name));
    const done = await lab.reached(number, ['done']);
    expect(done.bootstrax.n_failures ?? 0).toBe(0);
  },
  PATIENCE_MS,
);

test(
  'a run whose threads do not fit its files is set aside after one attempt, and tried again when they do',
  async () => {
    const threads = { reader9_reader_0: 1 };
    const { number, before } = await spoilt(() => ({ 'daq_config.processing_threads': threads }));
    await setAside(number, ['daq_config.processing_threads']);
    await staysAside(number);
    expect(await outcomes(number)).toEqual(['set_aside']);
    const { daq_config: config } = before;
    await lab.runs.updateOne({ _id: before._id }, { $set: { daq_config: config } });
    await lab.reached(number, ['done']);
  },
  PATIENCE_MS,
);

test(
  'a malformed document is tried again by itself once it has been mended',
  async () => {
    const { number, before } = await spoilt(() => ({ detectors: null }));
    const run = await lab.reached(number, ['failed']);
    expect(run.bootstrax).toMatchObject({ outcome: 'set_aside' });
    await staysAside(number);
    const { detectors } = before;
    await lab.runs.updateOne({ _id: before._id }, { $set: { detectors } });
    await lab.reached(number, ['done']);
  },
  PATIENCE_MS,
);

test(
  'a power cut right after a run was set aside with raw records leaves them where they are, and listed',
  async () => {
    await manager.kill();
    manager = await lab.manager({
      config: CONFIG,
      env: { BOOTSTRAX_CRASH_AT: 'runs.conclude:after' },
    });
    await manager.event('manager.ready');
    const { number } = await spoilt(({ document: { start } }) => ({ end: start }));
    await manager.exited;
    const listed = ({ data }: StoredRun) => data.filter(({ host }) => host === 'alpha.test.local');
    const before = await lab.run(number);
    expect(before.bootstrax).toMatchObject({ state: 'failed', outcome: 'set_aside' });
    manager = await lab.manager({ config: CONFIG });
    await manager.event('attempt.products_removed', { run: number });
    const after = await lab.run(number);
    expect(after.bootstrax).toEqual(before.bootstrax);
    expect(listed(after).map(({ type }) => type)).toContain('raw_records');
    expect(listed(after)).toEqual(listed(before));
    for (const { location } of listed(after)) expect(existsSync(String(location))).toBe(true);
  },
  PATIENCE_MS,
);
