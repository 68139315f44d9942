import { Decimal128, type Document, Double, Int32 } from 'mongodb';
import { describe, expect, it } from 'vitest';

import type { RunStore } from '../../../../src/run/run.port.ts';
import type { RunDocument } from '../../../../src/run/run-document.port.ts';
import { seenOf } from '../../../../src/run/stored-runs.ts';
import { opened } from '../../../unit/run/documents.ts';
import { onEmptyStore, type Open, type Outside, type TestStore } from './opened.ts';
import { bootstrax, claimed, EB3, EB4, insert, newAttempt, runDocument } from './run-documents.ts';

const HOLD = 'hold-processing';
const ATTEMPT = 'a'.repeat(24);
const ENTRY = { type: 'peaks', location: '/p', lineage: {} };
const STORED = {
  type: 'peaks',
  host: EB3,
  location: '/p',
  protocol: 'FileSytemBackend',
  meta: { lineage: {} },
};

/** Documents as nobody should write them, where one server or library may understand another. */
export function semanticsContract(open: Open): void {
  let test: TestStore;
  let store: RunStore;
  let runs: Outside;

  onEmptyStore(open, (empty) => {
    test = empty;
    store = empty.store.runs;
    runs = empty.runs;
  });

  const numbers = (documents: RunDocument[]) => documents.map((each) => seenOf(each).number);
  const stored = async (run: { _id: unknown }) => (await runs.findOne({ _id: run._id }))!;

  describe('filters', () => {
    it('a date is before another date only, never before or after another type', async () => {
      const now = await test.store.serverTime();
      const past = new Date(now.getTime() - 3_600_000);
      const failed = (next_retry: unknown) => ({ bootstrax: { state: 'failed', next_retry } });
      await runs.insertMany([
        runDocument(1, failed(past)),
        runDocument(2, failed(past.getTime())),
        runDocument(3, failed('2000-01-01')),
        runDocument(4, failed(true)),
        runDocument(5, failed(null)),
        runDocument(6, failed({ at: past })),
        runDocument(7, failed(-1)),
        runDocument(8, { bootstrax: { state: 'failed' } }),
        runDocument(9, failed([past])),
      ]);
      const query = { giveUpAfter: 10, limit: 20 };
      expect(numbers(await store.retryDue({ now, ...query }))).toEqual([9, 1]);
      expect(numbers(await store.overdue({ before: now, ...query })).sort()).toEqual([1, 9]);
      expect(await store.retryDue({ now: past, ...query })).toEqual([]);
      const waiting = await store.queueCounts(now, 10);
      expect(waiting).toMatchObject({ waiting: 2, due: 1 });
    });

    it('a count of failures that is no number is below every limit', async () => {
      const now = await test.store.serverTime();
      const counted = (n_failures: unknown) => ({
        bootstrax: { state: 'failed', n_failures, next_retry: new Date(1) },
      });
      await runs.insertMany([
        runDocument(1, counted(9)),
        runDocument(2, counted(10)),
        runDocument(3, counted(9.5)),
        runDocument(4, counted('12')),
        runDocument(5, counted(null)),
        runDocument(6, counted({ count: 12 })),
        runDocument(7, counted(-3)),
        runDocument(8, counted([12])),
        runDocument(9, counted(true)),
        runDocument(10, { bootstrax: { state: 'failed', next_retry: new Date(1) } }),
        runDocument(11, counted(1e9)),
      ]);
      const due = await store.retryDue({ now, giveUpAfter: 10, limit: 20 });
      expect(numbers(due)).toEqual([10, 9, 7, 6, 5, 4, 3, 1]);
      expect(await store.queueCounts(now, 10)).toMatchObject({ waiting: 8, due: 8 });
    });

    it('a state that is empty but not null is not untouched', async () => {
      await runs.insertMany([
        runDocument(1, { bootstrax: { state: '' } }),
        runDocument(2, { bootstrax: { state: 0 } }),
        runDocument(3, { bootstrax: { state: false } }),
        runDocument(4, { bootstrax: { state: {} } }),
        runDocument(5, { bootstrax: { state: ['busy'] } }),
        runDocument(6, { bootstrax: { other: 1 } }),
        runDocument(7, { bootstrax: { state: [null] } }),
        runDocument(8, { bootstrax: { state: [] } }),
      ]);
      expect(numbers(await store.newCandidates({ limit: 20 }))).toEqual([7, 6]);
      expect((await store.unsettled()).map(({ number }) => number)).toEqual([5]);
    });

    it('the hold tag counts wherever a name of the tags has it, and as plain text', async () => {
      await runs.insertMany([
        runDocument(1, { tags: [{ name: 'x' }, { name: HOLD }] }),
        runDocument(2, { tags: { name: HOLD } }),
        runDocument(3, { tags: [{ name: [HOLD, 'x'] }] }),
        runDocument(4, { tags: [HOLD] }),
        runDocument(5, { tags: HOLD }),
        runDocument(6, { tags: [null, 5, {}, { name: null }, [{ other: HOLD }]] }),
        runDocument(7, { tags: [] }),
        runDocument(8, { tags: [{ name: `${HOLD} ` }] }),
      ]);
      expect(numbers(await store.newCandidates({ limit: 20 }))).toEqual([8, 7, 6]);
    });

    it('the TPC counts as detector alone and in a list', async () => {
      await runs.insertMany([
        runDocument(1, { detectors: 'tpc' }),
        runDocument(2, { detectors: ['tpc'] }),
        runDocument(3, { detectors: 'neutron_veto' }),
        runDocument(4, { detectors: [] }),
        runDocument(5, { detectors: { tpc: true } }),
        runDocument(6, { detectors: ['tpc_test'] }),
      ]);
      const found = await store.newCandidates({ limit: 20, withoutDetector: 'tpc' });
      expect(numbers(found)).toEqual([6, 5, 4, 3]);
    });

    it.each([
      ['nothing', {}],
      ['null', { state: null, host: null, time: null, attempt: null }],
      ['numbers', { state: 5, host: 0, time: 1.5, attempt: -1 }],
      ['text', { state: 'odd', host: '', time: 'yesterday', attempt: '$attempt' }],
      ['objects', { state: { a: 1 }, host: { $odd: 1 }, time: {}, attempt: { b: { c: null } } }],
      ['lists', { state: [], host: ['x'], time: [new Date(0)], attempt: [[1]] }],
      ['truth', { state: true, host: false, time: true, attempt: false }],
    ])('an ownership of %s is taken over if it is as seen', async (_, ownership) => {
      const run = await insert(store, runs, runDocument(1, { bootstrax: ownership }));
      const fence = await claimed(store, run);
      expect(await bootstrax(runs, run)).toMatchObject({
        state: 'considering',
        host: EB3,
        attempt: fence.attempt,
      });
    });

    it.each<[string, Document, Document]>([
      ['time as number and as date', { time: 1000 }, { time: new Date(1000) }],
      ['time as text and as date', { time: new Date(0).toISOString() }, { time: new Date(0) }],
      ['no host and empty host', {}, { host: '' }],
      ['no attempt and 0', {}, { attempt: 0 }],
      ['false and null', { host: false }, { host: null }],
      ['number and text', { state: 5 }, { state: '5' }],
      ['fields in another order', { host: { a: 1, b: 2 } }, { host: { b: 2, a: 1 } }],
      ['an empty object and null', { host: {} }, { host: null }],
      ['a time one millisecond later', { time: new Date(1000) }, { time: new Date(1001) }],
    ])('%s are not the same', async (_, before, after) => {
      const run = await insert(store, runs, runDocument(1, { bootstrax: before }));
      await runs.updateOne({ _id: run._id }, { $unset: { bootstrax: '' } });
      await runs.updateOne({ _id: run._id }, { $set: { bootstrax: after } });
      expect(await store.claim(seenOf(run), { attempt: ATTEMPT, host: EB3 })).toBe('lost');
      expect(await bootstrax(runs, run)).toEqual(after);
    });

    it('null and missing are the same', async () => {
      const run = await insert(store, runs, runDocument(1, { bootstrax: { state: null } }));
      await runs.updateOne({ _id: run._id }, { $unset: { bootstrax: '' } });
      const view = seenOf(run);
      expect(await store.claim(view, { attempt: ATTEMPT, host: EB3 })).toBe('claimed');
      expect(await store.claim(view, { attempt: newAttempt(), host: EB3 })).toBe('lost');
    });

    it.each([
      ['attempt', { attempt: [ATTEMPT], host: EB3, state: 'busy' }, 'landed'],
      ['host', { attempt: ATTEMPT, host: EB3.toUpperCase(), state: 'busy' }, 'superseded'],
      ['attempt', { attempt: ATTEMPT.slice(1), host: EB3, state: 'busy' }, 'superseded'],
      ['state', { attempt: ATTEMPT, host: EB3, state: 'busy ' }, 'superseded'],
    ])('a fence with another kind of %s', async (_, ownership, answer) => {
      const run = await insert(store, runs, runDocument(1, { bootstrax: ownership }));
      const fence = { id: run._id, attempt: ATTEMPT, host: EB3 };
      expect(await store.heartbeat(fence, 'busy', null)).toBe(answer);
    });
  });

  describe('what is read', () => {
    it('sorts starts by type, then by value', async () => {
      const starts = [new Date(5), 'later', 7, null, new Date(9), 'earlier', true];
      await runs.insertMany(starts.map((start, i) => runDocument(i, { start })));
      expect(numbers(await store.newCandidates({ limit: 20 }))).toEqual([4, 0, 6, 1, 5, 2, 3]);
    });

    it('of lists only the fields of their objects, of other values nothing', async () => {
      const run = await insert(
        store,
        runs,
        runDocument(1, {
          data: [null, 5, 'x', { type: 'a', meta: {}, host: null }, [{ type: 'b', meta: 1 }], {}],
          daq_config: [{ processing_threads: { reader0: 1 }, secret: 1 }, 7],
          comment: 'not read',
        }),
      );
      expect(run).not.toHaveProperty('comment');
      expect(opened(run).daq_config).toEqual([{ processing_threads: { reader0: 1 } }]);
      expect(opened(run).data).toEqual([{ type: 'a', host: null }, [{ type: 'b' }], {}]);
    });

    it.each([null, 'odd', 5, [], {}])('takes nothing of data and daq_config %j', async (...odd) => {
      const value = odd.length === 1 ? odd[0] : odd;
      const fields = { data: value, daq_config: value };
      const run = await insert(store, runs, runDocument(1, fields));
      const empty = typeof value === 'object' && value !== null;
      expect(opened(run).data).toEqual(empty ? value : undefined);
      expect(opened(run).daq_config).toEqual(empty ? value : undefined);
    });
  });

  describe('updates', () => {
    const KEPT = { n_failures: 1, mystery: { deep: [1, { a: null }] }, '0': 'zero' };

    it('copy unknown fields along, from claim to conclusion', async () => {
      const run = await insert(store, runs, runDocument(1, { bootstrax: KEPT, foreign: [1] }));
      const fence = await claimed(store, run, { busy: true });
      await store.heartbeat(fence, 'busy', null);
      await store.unregisterData(fence, ['/p']);
      await store.conclude(fence, { kind: 'requeued', reason: null, delaySeconds: 1 });
      expect(await bootstrax(runs, run)).toMatchObject(KEPT);
      expect(await stored(run)).toMatchObject({ foreign: [1], mode: 'tpc_bkg' });
    });

    it('a reason that is not given is left as it is, also if there is none', async () => {
      const run = await insert(store, runs, runDocument(1));
      const fence = await claimed(store, run, { busy: true });
      await store.conclude(fence, { kind: 'abandoned', reason: null });
      expect(await bootstrax(runs, run)).not.toHaveProperty('reason');
    });

    it.each([
      [undefined, 0],
      [null, 0],
      ['3', 0],
      [{}, 0],
      [[3], 0],
      [true, 0],
      [2.5, 2.5],
      [-1, -1],
      [1e12, 1e12],
    ])('failures %j are requeued as %j', async (before, after) => {
      const fields: Document = { state: null, uncounted: before, n_failures: before };
      if (before === undefined) {
        delete fields.n_failures;
        delete fields.uncounted;
      }
      const run = await insert(store, runs, runDocument(1, { bootstrax: fields }));
      const fence = await claimed(store, run);
      await store.conclude(fence, { kind: 'requeued', reason: 'r', delaySeconds: 1 });
      expect(await bootstrax(runs, run)).toMatchObject({
        n_failures: after,
        uncounted: after + 1,
      });
    });

    it('a run that never failed has no count of failures, except while the reference must find it', async () => {
      const run = await insert(store, runs, runDocument(1));
      const again = await claimed(store, run, { busy: true });
      await store.conclude(again, { kind: 'requeued', reason: null, delaySeconds: 1 });
      expect((await bootstrax(runs, run)).n_failures).toBe(0);
      for (const kind of ['done', 'abandoned'] as const) {
        const fence = await claimed(store, run, { busy: true });
        await store.conclude(fence, kind === 'done' ? { kind } : { kind, reason: null });
        expect(await bootstrax(runs, run)).not.toHaveProperty('n_failures');
      }
    });

    it('failures of each kind of number are kept', async () => {
      for (const failures of [Decimal128.fromString('3'), new Double(4), new Int32(5)]) {
        const run = await insert(
          store,
          runs,
          runDocument(1, { bootstrax: { n_failures: failures } }),
        );
        const fence = await claimed(store, run);
        await store.conclude(fence, { kind: 'requeued', reason: null, delaySeconds: 1 });
        const { n_failures } = await bootstrax(runs, run);
        expect(String(n_failures)).toBe(String(failures));
      }
    });

    it.each<[unknown, unknown]>([
      ['', ''],
      [0, 0],
      [false, false],
      [[null], [null]],
      [['needs_upload'], ['needs_upload']],
      [{}, {}],
      ['Needs_upload', 'Needs_upload'],
    ])('a status %j is somebody else’s', async (before, after) => {
      const run = await insert(store, runs, runDocument(1, { status: before }));
      const fence = await claimed(store, run, { busy: true });
      const left = typeof after === 'string' ? after : JSON.stringify(after);
      const answer = await store.conclude(fence, { kind: 'done' });
      expect(answer).toEqual({ kind: 'landed', statusLeft: left });
      expect((await stored(run)).status).toEqual(after);
    });

    const ASIDE = { kind: 'set_aside', reason: 'r', problems: [] } as const;

    it('data entries are ours only by host and location as they are', async () => {
      const odd = [
        { ...STORED, host: [EB3] },
        { ...STORED, location: ['/p'] },
        { type: 'peaks', location: '/p' },
        { type: 'peaks', host: null, location: '/p' },
        { host: EB3 },
        [STORED],
        null,
        '/p',
      ];
      const run = await insert(store, runs, runDocument(1, { data: odd }));
      const fence = await claimed(store, run, { busy: true });
      await store.unregisterData(fence, ['/p']);
      expect((await stored(run)).data).toEqual(odd);
      expect((await stored(run)).deleted_data).toEqual([]);
      await store.conclude(fence, { ...ASIDE, register: [ENTRY] });
      expect((await stored(run)).data).toEqual([...odd, STORED]);
      await store.withdrawData(run._id, EB4, ['/p']);
      await store.withdrawData(run._id, EB3, ['/p', '/q']);
      expect((await stored(run)).data).toEqual(odd);
      expect((await stored(run)).deleted_data).toEqual([
        { type: 'peaks', host: EB3, at: expect.any(Date) as Date, by: EB3 },
      ]);
    });

    it('two entries for one location are both listed, and both go', async () => {
      const data = [STORED, { ...STORED, location: '/q' }];
      const run = await insert(store, runs, runDocument(1, { data }));
      const fence = await claimed(store, run, { busy: true });
      await store.unregisterData(fence, ['/q', '/p']);
      expect((await stored(run)).data).toEqual([]);
      expect((await stored(run)).deleted_data).toHaveLength(2);
    });

    it.each([undefined, null, 'odd', 5, { a: 1 }])(
      'data %j stays if nothing is listed',
      async (data) => {
        const document = runDocument(1, { data });
        if (data === undefined) delete document.data;
        const run = await insert(store, runs, document);
        const fence = await claimed(store, run, { busy: true });
        await store.unregisterData(fence, ['/p']);
        const after = await stored(run);
        expect(after.data).toEqual(data);
        expect('data' in after).toBe(data !== undefined);
      },
    );

    it('text and names with $ stay text', async () => {
      const run = await insert(store, runs, runDocument(1));
      const host = '$bootstrax.state';
      const fence = await claimed(store, run, { busy: true, host });
      const lineage = { $set: ['$$NOW'], 'a.b': '$number' };
      const register = [{ type: '$mode', location: '$$ROOT', lineage }];
      await store.conclude(fence, { ...ASIDE, register });
      const data = (await stored(run)).data as Document[];
      expect(data.at(-1)).toMatchObject({ type: '$mode', location: '$$ROOT', host });
      expect((data.at(-1)!.meta as Document).lineage).toEqual(lineage);
      await store.withdrawData(run._id, host, ['$$ROOT']);
      expect((await stored(run)).deleted_data).toMatchObject([{ type: '$mode', by: host }]);
    });

    it('only tags that are named so, or are that text, are released', async () => {
      const kept = [null, 5, { name: null }, { label: HOLD }, { name: [HOLD] }];
      const run = await insert(
        store,
        runs,
        runDocument(1, { tags: [HOLD, ...kept, { name: HOLD }] }),
      );
      await store.release(seenOf(run));
      expect((await stored(run)).tags).toEqual(kept);
    });

    it('a missing value is stored as null, not left out', async () => {
      const plan = { given: 1, missing: undefined };
      const record = { run: 1, host: EB3, mode: null, failures: 0, plan };
      await test.store.attempts.begin({ attempt: ATTEMPT, ...record });
      const found = await test.store.attempts.get(ATTEMPT);
      expect(found!.plan).toEqual({ given: 1, missing: null });
    });
  });
}
