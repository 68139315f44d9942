import { ObjectId } from 'mongodb';
import { describe, expect, it } from 'vitest';

import { ANY_DATE } from '../../../src/claim/due-retries.store.ts';
import type { Fence, RunStore } from '../../../src/run/run.port.ts';
import { createRunStore, RUN_INDEXES } from '../../../src/run/run.store.ts';
import type { Seen } from '../../../src/run/run-document.port.ts';
import { runReads, type RunsOfCalls, runWrites } from '../../support/run-calls.ts';
import { noted } from '../database/noted.ts';
import { NOW } from '../database/updates.ts';

const FENCE: Fence = { id: new ObjectId(), attempt: 'a'.repeat(24), host: 'h' };
const SEEN: Seen = { id: FENCE.id, number: 1, state: null, host: null, time: null, attempt: null };
const DUE = { giveUpAfter: 10, limit: 5 };
const FINISHED = { since: NOW, tag: 'abandon', taggedSince: NOW, limit: 5 };

const DONE: Seen = { ...SEEN, state: 'done' };
const RUNS: RunsOfCalls = {
  ...{ busy: FENCE, considering: FENCE, waiting: SEEN, held: SEEN, done: DONE, doneBy: FENCE },
  now: NOW,
};
const CALLS = Object.entries({ ...runReads(RUNS), ...runWrites(RUNS) });

/** The filters that a call of the store sends. */
async function filtersOf(call: (runs: RunStore) => Promise<unknown>): Promise<object[]> {
  const { calls, collection } = noted([{ _id: FENCE.id, number: 1 }]);
  const watch = () => Promise.resolve('unsupported' as const);
  await call(createRunStore(collection, () => Promise.resolve(NOW), watch));
  return calls.map(([name, ...args]) => {
    // Servers that look for an index in the first stage only.
    if (name === 'aggregate') return (args[0] as [{ $match: object }])[0].$match;
    return args[name === 'find' ? 0 : 1] as object;
  });
}

describe.each(CALLS)('runs.%s reads only what an index bounds, since', (_, call) => {
  it('no filter has an operator beside its fields: the embedded server reads all then', async () => {
    const filters = await filtersOf(call);
    expect(filters.length).toBeGreaterThan(0);
    for (const filter of filters) {
      expect(Object.keys(filter).filter((field) => field.startsWith('$'))).toEqual([]);
    }
  });

  it('a filter with an id begins with it: the embedded server takes the first index', async () => {
    for (const filter of await filtersOf(call)) {
      if ('_id' in filter) expect(Object.keys(filter)[0]).toBe('_id');
    }
  });
});

it('what a done run may lack is asked for by equalities and one range', async () => {
  const start = { $gte: NOW };
  expect(await filtersOf((runs) => runs.doneUnfinished(FINISHED))).toEqual([
    { 'bootstrax.state': 'done', status: null, start },
    { 'bootstrax.state': 'done', status: 'needs_upload', start },
    { 'bootstrax.state': 'done', end: null, start },
    { 'tags.name': 'abandon', 'bootstrax.state': 'done', start },
    { tags: 'abandon', 'bootstrax.state': 'done', start },
  ]);
});

it('tagged runs are asked for by one filter for each way to write a tag, each with an index of its own', async () => {
  const filters = [
    ...(await filtersOf((runs) => runs.waitingTagged('abandon', 5))),
    ...(await filtersOf((runs) => runs.doneUnfinished(FINISHED))).slice(-2),
  ];
  const indexed = RUN_INDEXES.map(({ key }) => Object.keys(key)[0]);
  for (const filter of filters) expect(indexed).toContain(Object.keys(filter)[0]);
  expect(filters.map((filter) => Object.keys(filter)[0])).toEqual([
    ...['tags.name', 'tags', 'tags.name', 'tags'],
  ]);
});

/** Two operators are no range of an index on every server: then all failed runs would be read. */
it.each([
  ['retryDue', (runs: RunStore) => runs.retryDue({ now: NOW, ...DUE })],
  ['overdue', (runs: RunStore) => runs.overdue({ before: NOW, ...DUE })],
  ['queueCounts', (runs: RunStore) => runs.queueCounts(NOW, 10)],
  ['setAsideForNumber', (runs: RunStore) => runs.setAsideForNumber(null, 5)],
  ['setAsideForFault', (runs: RunStore) => runs.setAsideForFault(FENCE.id, 5)],
] as const)('%s reads failed runs by equalities and at most one range', async (_, call) => {
  const failed = (await filtersOf(call)).filter(
    (filter) => (filter as Record<string, unknown>)['bootstrax.state'] === 'failed',
  );
  expect(failed.length).toBeGreaterThan(0);
  for (const filter of failed) {
    const operators = Object.entries(filter).flatMap(([field, value]) =>
      value === null || typeof value !== 'object' || value instanceof Date ? [] : [[field, value]],
    );
    expect(operators.length).toBeLessThanOrEqual(1);
    for (const [, value] of operators) {
      const names = Object.keys(value as object);
      expect(names.every((name) => ['$gt', '$gte', '$lt', '$lte', '$in'].includes(name))).toBe(
        true,
      );
    }
  }
});

it('of runs that were given up none is read, unless odd counts are asked for', async () => {
  const filters = await filtersOf((runs) =>
    runs.retryDue({ now: NOW, ...DUE, withOddCounts: false }),
  );
  expect(filters).toEqual([
    {
      ...{ 'bootstrax.state': 'failed', 'bootstrax.n_failures': null },
      'bootstrax.next_retry': { ...ANY_DATE, $lt: NOW },
    },
    { 'bootstrax.state': 'failed', 'bootstrax.n_failures': { $gte: -Infinity, $lt: 10 } },
  ]);
});
