import { pino } from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { openStore } from '../../../src/database/open.ts';
import { systemClock } from '../../../src/infra/clock/clock.ts';
import { TaskGroup } from '../../../src/infra/concurrency/task-group.ts';
import { defaultRules } from '../../../src/infra/config/rules.pure.ts';
import type { Store } from '../../../src/ports/store.ts';
import { CatalogueKeeper, type CountedPage } from '../../../src/readmodel/catalogue-keeper.ts';
import { Lab, until } from '../../support/lab.ts';

const START = new Date(Date.now() - 86_400_000);
/** Sparse, so that pieces without any run lie between them. */
const NUMBERS = Array.from({ length: 700 }, (_, i) => (i < 350 ? 1 + i : 20_000 + 3 * i));
const NEWEST = NUMBERS.at(-1)!;

function run(number: number) {
  const dropped = number % 100 === 0 ? ['b'] : [];
  return {
    ...{ number, start: START, end: START, mode: number % 2 === 0 ? 'radon' : 'led' },
    ...{ detectors: ['tpc'], tags: [], data: [{ type: 'live', host: 'daq', location: '/live' }] },
    daq_config: { processing_threads: { reader: 1 } },
    bootstrax: { state: 'done', host: 'eb0', time: START, plan: { targets: ['a'], dropped } },
  };
}

let lab: Lab;
let store: Store;
let keeper: CatalogueKeeper;
const watching = new AbortController();
const tasks = new TaskGroup(systemClock);
let isWatching = true;

beforeAll(async () => {
  lab = await Lab.start();
  await lab.insertRuns(...NUMBERS.map(run));
  store = openStore(
    {
      ...{ runsUrl: lab.url, daqUrl: null, runsDb: lab.runsDb, daqDb: lab.daqDb },
      ...{ runsCredentials: null, daqCredentials: null, manage: true, callTimeoutSeconds: 30 },
    },
    () => undefined,
  );
  keeper = new CatalogueKeeper({
    ...{ store, rules: defaultRules, log: pino({ level: 'silent' }) },
    ...{ isWanted: () => true, clock: systemClock, tasks },
  });
  await new Promise<void>((resolve) => {
    void store.runs.watch((hint) => {
      resolve();
      if (isWatching) keeper.onChange(hint?.id ?? null);
    }, watching.signal);
  });
  keeper.start();
  await until('all runs to be known', () => keeper.size !== null);
});
afterAll(async () => {
  await tasks.close(10);
  watching.abort();
  await store?.close();
  await lab?.end();
});

const totalOf = async (query: Parameters<CatalogueKeeper['page']>[0]) =>
  (await keeper.page(query, 5, null))!.total;

const change = (number: number, fields: Record<string, unknown>) =>
  lab.runs.updateOne({ number }, { $set: fields });

it('knows all runs, also across wide gaps, and pages through those that fit', async () => {
  expect(keeper.size).toBe(NUMBERS.length);
  const radon = NUMBERS.filter((number) => number % 2 === 0).reverse();
  const seen: (number | null)[] = [];
  for (let before: number | null = null, more = true; more;) {
    const page: CountedPage = (await keeper.page({ mode: 'radon' }, 60, before))!;
    expect(page.total).toBe(radon.length);
    seen.push(...page.rows.map((row) => row.run));
    before = page.before;
    more = before !== null;
  }
  expect(seen).toEqual(radon);
  const debt = NUMBERS.filter((number) => number % 100 === 0);
  expect(await totalOf({ condition: 'debt' })).toBe(debt.length);
});

it('follows what changes, what comes and what goes', async () => {
  await change(NEWEST, { 'bootstrax.state': 'abandoned' });
  await until('the change', async () => (await totalOf({ condition: 'abandoned' })) === 1);
  await lab.insertRuns(run(NEWEST + 1));
  await until('the new run', () => keeper.size === NUMBERS.length + 1);
  await change(5, { tags: [{ name: 'bad', user: 'anna', date: START }] });
  await until('the tag', async () => (await totalOf({ tag: 'bad' })) === 1);
});

it('never shows what does not fit, although nobody has told it', async () => {
  isWatching = false;
  expect(await totalOf({ tag: 'bad' })).toBe(1);
  await change(5, { tags: [] });
  expect(await keeper.page({ tag: 'bad' }, 5, null)).toEqual({ rows: [], total: 0, before: null });
  await change(NEWEST - 3, { 'bootstrax.state': 'abandoned' });
  const done = (await keeper.page({ condition: 'done' }, 3, null))!;
  expect(done.rows.map((row) => row.run)).toEqual([NEWEST + 1, NEWEST - 6, NEWEST - 9]);
  await lab.runs.deleteOne({ number: NEWEST - 6 });
  const without = (await keeper.page({ condition: 'done' }, 3, null))!;
  expect(without.rows.map((row) => row.run)).toEqual([NEWEST + 1, NEWEST - 9, NEWEST - 12]);
});

it('reads everything again when something may have been missed', async () => {
  await change(7, { tags: [{ name: 'late', user: 'anna', date: START }] });
  await lab.runs.deleteOne({ number: 9 });
  const before = keeper.size!;
  keeper.onChange(null);
  await until('the tag', async () => (await totalOf({ tag: 'late' })) === 1);
  await until('the gap', () => keeper.size === before - 1);
});

it('looks for changes where nothing tells of them, also of runs that were settled long ago', async () => {
  isWatching = false;
  keeper.poll();
  await change(7, { tags: [{ name: 'polled', user: 'anna', date: START }] });
  await until('the tag', async () => (await totalOf({ tag: 'polled' })) === 1);
});
