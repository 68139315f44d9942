import { describe, expect, it } from 'vitest';

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
} from './run-documents.ts';

const hour = 3_600_000;

export function claimContract(open: Open): void {
  let test: TestStore;
  let store: RunStore;
  let runs: Outside;

  onEmptyStore(open, (opened) => {
    test = opened;
    store = opened.store.runs;
    runs = opened.runs;
  });

  const numbers = (documents: RunDocument[]) => documents.map((each) => seenOf(each).number);

  describe('candidates', () => {
    it('are runs whose state is null or missing in any way, newest start first', async () => {
      await runs.insertMany([
        runDocument(1),
        runDocument(2, { bootstrax: null }),
        runDocument(3, { bootstrax: {} }),
        runDocument(4, { bootstrax: 'odd' }),
        runDocument(5, { bootstrax: { state: 'done' } }),
        runDocument(6, { bootstrax: { state: 'abandoned' } }),
        runDocument(8, { tags: [{ name: 'hold-processing' }, { name: 'x' }] }),
        runDocument(9, { tags: null }),
      ]);
      const missing = runDocument(7);
      delete missing.bootstrax;
      await runs.insertOne(missing);
      const found = await store.newCandidates({ limit: 20 });
      expect(numbers(found)).toEqual([9, 7, 4, 3, 2, 1]);
      expect(numbers(await store.newCandidates({ limit: 2 }))).toEqual([9, 7]);
      expect(numbers(await store.newCandidates({ limit: 3, includeHeld: true }))).toEqual([
        9, 8, 7,
      ]);
      expect(found[0]).not.toHaveProperty('daq_config.secret');
      expect(found[0]).toHaveProperty('daq_config.processing_threads.reader0', 2);
    });

    it('can be limited to runs without the TPC', async () => {
      await runs.insertMany([
        runDocument(1, { detectors: ['neutron_veto'] }),
        runDocument(2, { detectors: ['tpc', 'neutron_veto'] }),
        runDocument(3, { detectors: null }),
      ]);
      expect(numbers(await store.newCandidates({ limit: 9, withoutDetector: 'tpc' }))).toEqual([
        3, 1,
      ]);
    });

    it('for a retry are failed runs that are due and not given up; a missing count is 0', async () => {
      const now = await test.store.serverTime();
      const at = (ms: number) => new Date(now.getTime() + ms);
      const failed = (n_failures: unknown, next_retry: unknown) => ({
        bootstrax: { state: 'failed', n_failures, next_retry },
      });
      await runs.insertMany([
        runDocument(1, failed(1, at(-hour))),
        runDocument(2, failed(0, at(-2 * hour))),
        runDocument(3, failed(10, at(-hour))),
        runDocument(4, failed(1, at(hour))),
        runDocument(5, failed(null, at(-hour))),
        runDocument(6, failed(1, null)),
        runDocument(7, { bootstrax: { state: 'failed' } }),
      ]);
      const query = { giveUpAfter: 10, limit: 10 };
      expect(numbers(await store.retryDue({ now, ...query }))).toEqual([5, 2, 1]);
      // Longest overdue first; of those due at the same time, any order.
      expect(numbers(await store.overdue({ before: now, ...query })).sort()).toEqual([1, 2, 5]);
      expect(numbers(await store.overdue({ before: at(-1.5 * hour), ...query }))).toEqual([2]);
      expect(await store.queueCounts(now, 10)).toEqual({
        new: 0,
        held: 0,
        considering: 0,
        busy: 0,
        waiting: 4,
        due: 3,
      });
    });
  });

  it('writes state, host, time and attempt in one update and keeps the history', async () => {
    const retry = new Date(1_700_000_000_000);
    const run = await insert(
      store,
      runs,
      runDocument(1, {
        bootstrax: {
          state: 'failed',
          host: 'eb9',
          time: retry,
          n_failures: 3,
          reason: 'because',
          next_retry: retry,
          foreign: 'kept',
          plan: { targets: [] },
        },
      }),
    );
    const before = await test.store.serverTime();
    const fence = await claimed(store, run);
    const after = await bootstrax(runs, run);
    expect(after).toEqual({
      state: 'considering',
      host: EB3,
      time: after.time as Date,
      // The same moment twice: only this program keeps them alike.
      attempt_time: after.time as Date,
      attempt: fence.attempt,
      n_failures: 3,
      reason: 'because',
      next_retry: retry,
      foreign: 'kept',
    });
    const age = (after.time as Date).getTime() - before.getTime();
    expect(Math.abs(age)).toBeLessThan(5000);
  });

  it.each([null, 'odd', 5, {}, undefined])('copes with bootstrax %j', async (value) => {
    const document = runDocument(1, { bootstrax: value });
    if (value === undefined) delete document.bootstrax;
    const run = await insert(store, runs, document);
    const fence = await claimed(store, run, { busy: true });
    expect(await bootstrax(runs, run)).toMatchObject({ state: 'busy', attempt: fence.attempt });
  });

  it('has exactly one winner among 20 at once', async () => {
    for (let round = 0; round < 5; round++) {
      const run = await insert(store, runs, runDocument(round));
      const view = seenOf(run);
      const owners = Array.from({ length: 20 }, (_, i) => ({
        attempt: newAttempt(),
        host: `eb${i}.xenon.local`,
      }));
      const results = await Promise.all(owners.map((owner) => store.claim(view, owner)));
      expect(results.filter((result) => result === 'claimed')).toHaveLength(1);
      const winner = owners[results.indexOf('claimed')]!;
      expect(await bootstrax(runs, run)).toMatchObject(winner);
    }
  });

  it.each([
    ['state', { 'bootstrax.state': 'done' }],
    ['host', { 'bootstrax.host': EB4 }],
    ['time', { 'bootstrax.time': new Date() }],
    ['attempt', { 'bootstrax.attempt': 'f'.repeat(24) }],
  ])('is lost if the %s has changed since it was read', async (_, change) => {
    const run = await insert(
      store,
      runs,
      runDocument(1, {
        bootstrax: { state: 'busy', host: EB3, time: new Date(0), attempt: 'a'.repeat(24) },
      }),
    );
    const view = seenOf(run);
    await runs.updateOne({ _id: run._id }, { $set: change });
    expect(await store.claim(view, { attempt: newAttempt(), host: EB4 })).toBe('lost');
    expect(
      await store.claim(seenOf((await store.byId(run._id))!), { attempt: newAttempt(), host: EB4 }),
    ).toBe('claimed');
  });

  it('takes over a stale run that is exactly as seen, and its owner is superseded', async () => {
    const run = await insert(store, runs, runDocument(1));
    const first = await claimed(store, run, { busy: true });
    const [view] = await store.unsettled();
    expect(view).toMatchObject({ number: 1, state: 'busy', host: EB3, attempt: first.attempt });
    expect(numbers(await store.ownRuns(EB3))).toEqual([1]);
    expect(await store.ownRuns(EB4)).toEqual([]);
    const second = { id: run._id, attempt: newAttempt(), host: EB4 };
    expect(await store.claim(view!, second)).toBe('claimed');
    expect(await store.heartbeat(first, 'busy', null)).toBe('superseded');
    expect(await store.markBusy(second, PLAN)).toBe('landed');
  });
}
