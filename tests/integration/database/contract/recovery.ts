import { describe, expect, it } from 'vitest';

import type { StoredOutcome } from '../../../../src/retry/attempt-history.port.ts';
import type { RunStore } from '../../../../src/run/run.port.ts';
import type { RunDocument } from '../../../../src/run/run-document.port.ts';
import { seenOf } from '../../../../src/run/stored-runs.ts';
import { onEmptyStore, type Open, type Outside, type TestStore } from './opened.ts';
import {
  bootstrax,
  claimed,
  EB3,
  EB4,
  insert,
  newAttempt,
  PLAN,
  runDocument,
  seen,
} from './run-documents.ts';

const OUTCOME: StoredOutcome = {
  outcome: 'done',
  cause: null,
  counted: false,
  reason: null,
  traceback: null,
  fingerprint: null,
  plugin: null,
  seconds: 1,
  peakMemoryBytes: null,
  bytes: null,
  chunks: null,
  dropped: [],
  products: [],
  versions: {},
};

/** What recovery asks of the store. */
export function recoveryContract(open: Open): void {
  let test: TestStore;
  let store: RunStore;
  let runs: Outside;

  onEmptyStore(open, (opened) => {
    test = opened;
    store = opened.store.runs;
    runs = opened.runs;
  });

  const numbers = (documents: RunDocument[]) => documents.map((each) => seenOf(each).number);

  it('finds waiting runs by a tag', async () => {
    const tags = [{ name: 'x' }, { name: 'abandon' }];
    const state = (value: unknown) => ({ bootstrax: { state: value }, tags });
    await runs.insertMany([
      runDocument(1, state(null)),
      runDocument(2, state('failed')),
      runDocument(3, state('busy')),
      runDocument(4, state('considering')),
      runDocument(5, state('done')),
      runDocument(6, state('abandoned')),
      runDocument(7, { tags, bootstrax: null }),
      runDocument(8, { tags: [{ name: 'x' }] }),
      runDocument(9, { tags: null }),
      runDocument(10, { tags: ['x', 'abandon'] }),
      runDocument(11, { tags: 'abandon', bootstrax: { state: 'failed' } }),
      runDocument(12, { tags: ['abandon', ...tags] }),
      runDocument(13, { tags: ['abandon'], bootstrax: { state: 'abandoned' } }),
    ]);
    const found = await store.waitingTagged('abandon', 10);
    expect(numbers(found).sort()).toEqual([1, 10, 11, 12, 2, 7]);
    expect(found[0]).not.toHaveProperty('daq_config.secret');
    expect(await store.waitingTagged('abandon', 2)).toHaveLength(2);
    expect(await store.waitingTagged('hold', 2)).toEqual([]);
  });

  it('finds done runs that lack a status or an end, or carry a tag', async () => {
    const end = new Date(5);
    const done = { bootstrax: { state: 'done' }, end, status: 'transferred' };
    const since = runDocument(2).start as Date;
    await runs.insertMany([
      runDocument(1, { ...done, status: null }),
      runDocument(2, { ...done, status: null }),
      runDocument(3, { ...done, status: 'needs_upload' }),
      runDocument(4, { ...done, end: null }),
      runDocument(5, { ...done, tags: [{ name: 'abandon' }] }),
      runDocument(6, done),
      runDocument(7, { ...done, status: '' }),
      runDocument(8, { ...done, status: null, bootstrax: { state: 'failed' } }),
      runDocument(10, { ...done, tags: [{ name: 'other' }] }),
    ]);
    await runs.insertMany([
      runDocument(11, { ...done, tags: ['abandon'] }),
      runDocument(12, { ...done, tags: 'abandon' }),
      runDocument(13, { ...done, tags: ['other', { name: 'abandoned' }] }),
      runDocument(14, { tags: ['abandon'], bootstrax: { state: 'busy' } }),
    ]);
    const missing = runDocument(9, { bootstrax: { state: 'done' }, end });
    delete missing.status;
    await runs.insertOne(missing);
    const query = { since, tag: 'abandon', taggedSince: since, limit: 10 };
    const found = await store.doneUnfinished(query);
    expect(numbers(found)).toEqual([12, 11, 9, 5, 4, 3, 2]);
    expect(found[0]).not.toHaveProperty('daq_config.secret');
    expect(numbers(await store.doneUnfinished({ ...query, limit: 1 }))).toEqual([12, 9, 5, 4, 3]);
    await runs.updateOne({ number: 9 }, { $set: { 'bootstrax.host': EB3 } });
    expect(numbers(await store.doneWithoutStatus({ since, host: EB3, limit: 10 }))).toEqual([9]);
    const later = runDocument(6).start as Date;
    const fewer = await store.doneUnfinished({ ...query, taggedSince: later });
    expect(numbers(fewer)).toEqual([12, 11, 9, 4, 3, 2]);
  });

  describe('a missing status', () => {
    const fields = { state: 'done', host: EB3, time: new Date(7), foreign: 1 };

    it.each([null, 'needs_upload', undefined])('%s is set, and nothing else', async (status) => {
      const document = runDocument(1, { bootstrax: fields, status });
      if (status === undefined) delete document.status;
      const run = await insert(store, runs, document);
      const view = await seen(store, run);
      expect(await store.mendStatus(view)).toBe('landed');
      expect(await runs.findOne({ _id: run._id })).toEqual({
        ...document,
        _id: run._id,
        status: 'eb_finished_pre',
      });
      expect(await store.mendStatus(view)).toBe('changed');
    });

    it('is left to whoever has set one or has changed the run', async () => {
      const run = await insert(store, runs, runDocument(1, { bootstrax: fields, status: null }));
      const view = seenOf(run);
      for (const change of [{ status: 'transferred' }, { 'bootstrax.state': 'abandoned' }]) {
        await runs.updateOne({ _id: run._id }, { $set: { status: null, ...change } });
        const before = await runs.findOne({ _id: run._id });
        expect(await store.mendStatus(view)).toBe('changed');
        expect(await runs.findOne({ _id: run._id })).toEqual(before);
      }
    });
  });

  it('told that it may have landed, a write that has is not superseded', async () => {
    const run = await insert(store, runs, runDocument(1));
    const fence = await claimed(store, run);
    expect(await store.markBusy(fence, PLAN)).toBe('landed');
    expect(await store.markBusy(fence, PLAN)).toBe('superseded');
    expect(await store.markBusy(fence, PLAN, true)).toBe('landed');
    expect(await store.markBusy({ ...fence, attempt: newAttempt() }, PLAN, true)).toBe(
      'superseded',
    );
    expect(await store.markBusy({ ...fence, host: EB4 }, PLAN, true)).toBe('superseded');
    const done = { kind: 'done' } as const;
    expect(await store.conclude(fence, done, true)).toMatchObject({ kind: 'landed' });
    const after = await bootstrax(runs, run);
    expect(await store.conclude(fence, done)).toEqual({ kind: 'superseded' });
    expect(await store.conclude(fence, done, true)).toEqual({ kind: 'landed', statusLeft: null });
    expect(await store.markBusy(fence, PLAN, true)).toBe('superseded');
    const other = { ...fence, attempt: newAttempt() };
    expect(await store.conclude(other, done, true)).toEqual({ kind: 'superseded' });
    expect(await bootstrax(runs, run)).toEqual(after);
  });

  it('a lost holder is counted until an attempt of the run comes to an end of its own', async () => {
    const run = await insert(store, runs, runDocument(1));
    const requeued = { kind: 'requeued', reason: null, delaySeconds: 1 } as const;
    const lostNow = async (holderLost: boolean) => {
      const fence = await claimed(store, run);
      await store.conclude(fence, { ...requeued, holderLost });
      return (await bootstrax(runs, run)).holders_lost as unknown;
    };
    expect(await lostNow(false)).toBeUndefined();
    expect(await lostNow(true)).toBe(1);
    expect(await lostNow(false)).toBe(1);
    expect(await lostNow(true)).toBe(2);
    const fence = await claimed(store, run);
    await store.conclude(fence, { kind: 'failed', reason: 'r', failures: 1, delaySeconds: 1 });
    expect(await bootstrax(runs, run)).not.toHaveProperty('holders_lost');
  });

  it('knows the latest attempts of a host and the successes of others', async () => {
    const { attempts } = test.store;
    const ended = async (host: string, outcome: Partial<StoredOutcome> | null) => {
      const attempt = newAttempt();
      await attempts.begin({ attempt, run: 1, host, mode: null, failures: 0, plan: null });
      if (outcome !== null) await attempts.end(attempt, { ...OUTCOME, ...outcome });
      return (await attempts.get(attempt))!;
    };
    const early = await ended(EB4, {});
    const first = await ended(EB3, { outcome: 'failed', counted: true });
    const late = await ended(EB4, {});
    const second = await ended(EB3, {});
    await ended(EB3, null);
    await ended('eb5', { outcome: 'failed', counted: true });
    await ended('eb6', { outcome: 'requeued' });
    await ended('eb7', { outcome: 'done', counted: true });
    const since = new Date(0);
    expect(await attempts.endedOn(EB3, since, 10)).toEqual([second, first]);
    expect(await attempts.endedOn(EB3, since, 1)).toEqual([second]);
    const after = new Date(first.ended!.getTime() + 1);
    expect(await attempts.endedOn(EB3, after, 10)).toEqual([second]);
    expect(await attempts.successesElsewhere(EB3, since)).toEqual([
      { host: EB4, last: late.ended },
    ]);
    expect(await attempts.successesElsewhere(EB4, since)).toEqual([
      { host: EB3, last: second.ended },
    ]);
    expect(await attempts.successesElsewhere('eb9', second.ended!)).toEqual([
      { host: EB3, last: second.ended },
    ]);
    expect(early.ended!.getTime()).toBeLessThan(late.ended!.getTime());
  });

  it('reads the runs of a range of numbers', async () => {
    await runs.insertMany([3, 4, 5, 9].map((number) => runDocument(number)));
    const found = await store.numbered(4, 9);
    expect(numbers(found).sort()).toEqual([4, 5, 9]);
    expect(await store.numbered(6, 8)).toEqual([]);
  });

  it('withdraws entries of a run that nobody holds, and only if it is as seen', async () => {
    const data = [
      { type: 'peaks', host: EB3, location: '/p', meta: { lineage: {} } },
      { type: 'peaks', host: EB4, location: '/p' },
      { type: 'events', host: EB3, location: '/e' },
    ];
    const failed = { bootstrax: { state: 'failed', host: EB3, time: new Date(5) }, data };
    const run = await insert(store, runs, runDocument(1, failed));
    const stale = { ...seenOf(run), time: new Date(6) };
    expect(await store.withdrawSettled(stale, EB3, ['/p'])).toBe('changed');
    expect(await store.withdrawSettled(seenOf(run), EB3, ['/p'])).toBe('landed');
    const stored = (await runs.findOne({ _id: run._id }))!;
    expect(stored.data).toEqual([data[1], data[2]]);
    expect(stored.deleted_data).toMatchObject([{ type: 'peaks', host: EB3, by: EB3 }]);
    expect(stored.bootstrax).toEqual(failed.bootstrax);
    const fence = await claimed(store, run, { busy: true });
    const held = seenOf((await store.byId(run._id))!);
    expect(await store.withdrawSettled(held, EB3, ['/e'])).toBe('changed');
    expect(fence.attempt).toBe(held.attempt);
    expect((await runs.findOne({ _id: run._id }))!.data).toEqual([data[1], data[2]]);
  });
}
