import type { Document } from 'mongodb';
import { describe, expect, it } from 'vitest';

import type { Conclusion, Fence, RunStore } from '../../../../src/run/run.port.ts';
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

const PROGRESS = {
  phase: 'processing',
  chunks: 3,
  covered_seconds: 15,
  bytes: 1e9,
  memory_bytes: 2e9,
  mb_per_s: 12.5,
  t: 20,
};

const ENTRY = {
  type: 'peaks',
  location: '/data/pre_processed/000001-peaks-abc',
  lineage: { peaks: ['Peaks', '1.0', { option: '$not.a.field', url: 'list-to-array://x.y' }] },
};
const STORED_ENTRY = {
  type: 'peaks',
  host: EB3,
  location: ENTRY.location,
  protocol: 'FileSytemBackend',
  meta: { lineage: ENTRY.lineage },
};

export function fenceContract(open: Open): void {
  let test: TestStore;
  let store: RunStore;
  let runs: Outside;

  onEmptyStore(open, (opened) => {
    test = opened;
    store = opened.store.runs;
    runs = opened.runs;
  });

  const verbs: Record<string, (fence: Fence) => Promise<unknown>> = {
    markBusy: (fence) => store.markBusy(fence, PLAN),
    heartbeat: (fence) => store.heartbeat(fence, 'busy', PROGRESS),
    unregisterData: (fence) => store.unregisterData(fence, [ENTRY.location]),
    done: async (fence) => (await store.conclude(fence, { kind: 'done' })).kind,
    failed: async (fence) =>
      (
        await store.conclude(fence, {
          kind: 'failed',
          reason: 'r',
          failures: 1,
          delaySeconds: 60,
        })
      ).kind,
  };

  describe.each(Object.keys(verbs))('%s', (name) => {
    const begin = async () => {
      const run = await insert(store, runs, runDocument(1));
      return claimed(store, run, { busy: name !== 'markBusy' });
    };
    const unchanged = async (fence: Fence) => {
      const before = await runs.findOne({ _id: fence.id });
      return async () => expect(await runs.findOne({ _id: fence.id })).toEqual(before);
    };

    it('lands for the owner', async () => {
      expect(await verbs[name]!(await begin())).toBe('landed');
    });

    it.each<[string, Partial<Fence>]>([
      ['attempt', { attempt: 'f'.repeat(24) }],
      ['host', { host: EB4 }],
    ])('is refused with another %s', async (_, wrong) => {
      const fence = await begin();
      const check = await unchanged(fence);
      expect(await verbs[name]!({ ...fence, ...wrong })).toBe('superseded');
      await check();
    });

    it.each(['done', 'failed', 'abandoned', null, ...(name === 'markBusy' ? ['busy'] : [])])(
      'is refused in state %s',
      async (state) => {
        const fence = await begin();
        await runs.updateOne({ _id: fence.id }, { $set: { 'bootstrax.state': state } });
        const check = await unchanged(fence);
        expect(await verbs[name]!(fence)).toBe('superseded');
        await check();
      },
    );

    if (name !== 'markBusy') {
      it('is refused to a busy attempt once somebody has made the run considering', async () => {
        const fence: Fence = { ...(await begin()), state: 'busy' };
        await runs.updateOne({ _id: fence.id }, { $set: { 'bootstrax.state': 'considering' } });
        const check = await unchanged(fence);
        expect(await verbs[name]!(fence)).toBe('superseded');
        await check();
      });

      it('lands for a busy attempt', async () => {
        expect(await verbs[name]!({ ...(await begin()), state: 'busy' })).toBe('landed');
      });
    }

    it('is refused after the reference has rewritten the sub-document', async () => {
      const fence = await begin();
      const rewritten = { state: 'busy', host: EB3, time: new Date() };
      await runs.updateOne({ _id: fence.id }, { $set: { bootstrax: rewritten } });
      const check = await unchanged(fence);
      expect(await verbs[name]!(fence)).toBe('superseded');
      await check();
    });

    it('is refused when the reference took the run over and copied our attempt id', async () => {
      const fence = await begin();
      const copied = { ...(await bootstrax(runs, { _id: fence.id })), host: EB4 };
      await runs.updateOne({ _id: fence.id }, { $set: { bootstrax: copied } });
      const check = await unchanged(fence);
      expect(await verbs[name]!(fence)).toBe('superseded');
      await check();
    });
  });

  it('busy carries plan and start, the heartbeat time and progress', async () => {
    const run = await insert(store, runs, runDocument(1));
    const fence = await claimed(store, run);
    const first = await bootstrax(runs, run);
    expect(await store.heartbeat(fence, 'considering', null)).toBe('landed');
    expect(await store.heartbeat(fence, 'busy', null)).toBe('superseded');
    await store.markBusy(fence, PLAN);
    const busy = await bootstrax(runs, run);
    expect(busy).toMatchObject({ state: 'busy', plan: PLAN });
    expect(busy.started_processing).toEqual(busy.time);
    await expect
      .poll(async () => {
        await store.heartbeat(fence, 'busy', PROGRESS);
        return ((await bootstrax(runs, run)).time as Date).getTime();
      })
      .toBeGreaterThan((first.time as Date).getTime());
    const later = await bootstrax(runs, run);
    expect(later).toMatchObject({ progress: PROGRESS, plan: PLAN });
    expect(later.started_processing).toEqual(busy.started_processing);
    expect(await store.heartbeat(fence, 'considering', null)).toBe('superseded');
  });

  it('lists data once, as the reference does, and moves it to deleted_data', async () => {
    const run = await insert(store, runs, runDocument(1));
    const fence = await claimed(store, run);
    const other = { ...STORED_ENTRY, host: EB4 };
    const listed = { $push: { data: { $each: [other, STORED_ENTRY] } } } as Document;
    await runs.updateOne({ _id: run._id }, listed);
    const register = [ENTRY, { ...ENTRY, type: 'events', location: '/e' }];
    expect((await store.conclude(fence, { kind: 'done', register })).kind).toBe('landed');
    const live = { type: 'live', host: 'daq', location: '/live_data/xenonnt' };
    const events = { ...STORED_ENTRY, type: 'events', location: '/e' };
    expect((await runs.findOne({ _id: run._id }))!.data).toEqual([
      live,
      other,
      STORED_ENTRY,
      events,
    ]);
    await runs.updateOne(
      { _id: run._id, 'data.location': '/e' },
      { $set: { 'data.$.file_count': 7 } },
    );
    await runs.updateOne({ _id: run._id }, { $set: { 'bootstrax.state': 'new' } });
    const again = await claimed(store, { ...run, ...(await runs.findOne({ _id: run._id })) });
    expect(await store.unregisterData(again, ['/e', '/not/there'])).toBe('landed');
    await store.withdrawData(run._id, EB3, [ENTRY.location]);
    const stored = (await runs.findOne({ _id: run._id }))!;
    expect(stored.data).toEqual([live, other]);
    expect(stored.deleted_data).toEqual([
      { type: 'events', host: EB3, file_count: 7, at: expect.any(Date) as Date, by: EB3 },
      { type: 'peaks', host: EB3, at: expect.any(Date) as Date, by: EB3 },
    ]);
  });

  it.each([undefined, null, 'odd', [null, 'odd', 5]])('copes with data %j', async (...data) => {
    const value = (data.length === 1 ? data[0] : data) as unknown;
    const document = runDocument(1, { data: value, deleted_data: value });
    if (value === undefined) delete document.data;
    const run = await insert(store, runs, document);
    const fence = await claimed(store, run, { busy: true });
    await store.withdrawData(run._id, EB3, ['/x']);
    expect(await store.unregisterData(fence, ['/x'])).toBe('landed');
    const done = await store.conclude(fence, { kind: 'done', register: [ENTRY] });
    expect(done.kind).toBe('landed');
    const alone = value === undefined || value === null ? [] : [value];
    const kept = Array.isArray(value) ? (value as unknown[]) : alone;
    expect((await runs.findOne({ _id: run._id }))!.data).toEqual([...kept, STORED_ENTRY]);
  });

  describe('conclusion', () => {
    const previous = { n_failures: 2, reason: 'old', next_retry: new Date(0), uncounted: 1 };
    const conclude = async (conclusion: Conclusion, fields: Document = {}) => {
      const run = await insert(
        store,
        runs,
        runDocument(1, { bootstrax: { state: 'failed', ...previous }, ...fields }),
      );
      const fence = await claimed(store, run, { busy: true });
      await store.heartbeat(fence, 'busy', PROGRESS);
      const answer = await store.conclude(fence, conclusion);
      // A second conclusion must never land.
      expect((await store.conclude(fence, conclusion)).kind).toBe('superseded');
      const document = (await runs.findOne({ _id: run._id }))!;
      const fields_ = document.bootstrax as Document;
      expect(fields_).not.toHaveProperty('attempt');
      expect(fields_).not.toHaveProperty('progress');
      expect(fields_).toMatchObject({ host: EB3, last_attempt: fence.attempt, plan: PLAN });
      return { answer, document, concluded: fields_ };
    };
    const secondsFrom = (fields: Document) =>
      ((fields.next_retry as Date).getTime() - (fields.time as Date).getTime()) / 1000;

    it('done: entries, state and status in one update', async () => {
      const { answer, document, concluded } = await conclude({ kind: 'done', register: [ENTRY] });
      expect(answer).toEqual({ kind: 'landed', statusLeft: null });
      expect(document.status).toBe('eb_finished_pre');
      expect(document.data).toContainEqual(STORED_ENTRY);
      expect(concluded).toMatchObject({
        ...previous,
        state: 'done',
        outcome: 'done',
        uncounted: 0,
        started_processing: expect.any(Date) as Date,
      });
    });

    it.each([
      [null, 'eb_finished_pre', null],
      ['needs_upload', 'eb_finished_pre', null],
      ['eb_finished_pre', 'eb_finished_pre', null],
      ['transferred', 'transferred', 'transferred'],
    ])('done: status %s becomes %s', async (before, after, left) => {
      const { answer, document } = await conclude({ kind: 'done' }, { status: before });
      expect(document.status).toBe(after);
      expect(answer).toEqual({ kind: 'landed', statusLeft: left });
    });

    it('failed: counted, with the delay from the server clock', async () => {
      const { answer, document, concluded } = await conclude({
        kind: 'failed',
        reason: `${EB3}:\n$weird.reason\n`,
        failures: 3,
        delaySeconds: 90.5,
        unregister: ['/x'],
      });
      expect(answer).toEqual({ kind: 'landed', statusLeft: null });
      expect(document).not.toHaveProperty('status');
      expect(concluded).toMatchObject({
        state: 'failed',
        outcome: 'failed',
        n_failures: 3,
        uncounted: 0,
        reason: `${EB3}:\n$weird.reason\n`,
      });
      expect(secondsFrom(concluded)).toBe(90.5);
    });

    it('requeued: not counted, reason kept', async () => {
      const { concluded } = await conclude({ kind: 'requeued', reason: null, delaySeconds: 5 });
      expect(concluded).toMatchObject({
        state: 'failed',
        outcome: 'requeued',
        n_failures: 2,
        uncounted: 2,
        reason: 'old',
      });
      expect(secondsFrom(concluded)).toBe(5);
    });

    it('requeued: a run without failures has 0 from then on, so that the reference finds it', async () => {
      const { concluded } = await conclude(
        { kind: 'requeued', reason: 'new', delaySeconds: 5 },
        { bootstrax: { state: null } },
      );
      expect(concluded).toMatchObject({ n_failures: 0, uncounted: 1, reason: 'new' });
    });

    it('set aside: no next_retry, fields named', async () => {
      const problems = [{ field: 'daq_config', problem: 'missing' }];
      const { concluded } = await conclude({ kind: 'set_aside', reason: 'why', problems });
      expect(concluded).toMatchObject({
        state: 'failed',
        outcome: 'set_aside',
        n_failures: 2,
        malformed: problems,
      });
      expect(concluded).not.toHaveProperty('next_retry');
    });

    it('given up', async () => {
      const { concluded } = await conclude({ kind: 'given_up', reason: 'why', failures: 10 });
      expect(concluded).toMatchObject({ state: 'failed', outcome: 'given_up', n_failures: 10 });
      const now = await test.store.serverTime();
      expect(await store.retryDue({ now, giveUpAfter: 10, limit: 5 })).toEqual([]);
    });

    it('abandoned', async () => {
      const { concluded } = await conclude({ kind: 'abandoned', reason: null });
      expect(concluded).toMatchObject({ state: 'abandoned', outcome: 'abandoned', reason: 'old' });
    });

    it('lands once among ten at once', async () => {
      const run = await insert(store, runs, runDocument(1));
      const fence = await claimed(store, run, { busy: true });
      const failed = { kind: 'failed', reason: 'r', failures: 1, delaySeconds: 60 } as const;
      const answers = await Promise.all(
        Array.from({ length: 10 }, (_, i) =>
          store.conclude(fence, i % 2 === 0 ? { kind: 'done' } : failed),
        ),
      );
      expect(answers.filter(({ kind }) => kind === 'landed')).toHaveLength(1);
    });
  });

  describe('operators', () => {
    it('fail, abandon and retry also busy runs, if they are as seen', async () => {
      const run = await insert(store, runs, runDocument(1));
      const fence = await claimed(store, run, { busy: true });
      const view = await seen(store, run);
      await store.heartbeat(fence, 'busy', PROGRESS);
      const abandon = { kind: 'abandoned', reason: 'no good' } as const;
      const changed = await store.settle({ ...view, time: new Date(0) }, EB4, abandon);
      expect(changed).toBe('changed');
      expect(await store.settle(await seen(store, run), EB4, abandon)).toBe('landed');
      expect(await store.heartbeat(fence, 'busy', PROGRESS)).toBe('superseded');
      expect(await bootstrax(runs, run)).toMatchObject({
        state: 'abandoned',
        host: EB4,
        reason: 'no good',
      });
      expect(await store.retry(await seen(store, run), EB4, 0)).toBe('landed');
      const now = new Date((await test.store.serverTime()).getTime() + 1000);
      const due = await store.retryDue({ now, giveUpAfter: 10, limit: 5 });
      expect(due.map((each) => seenOf(each).number)).toEqual([1]);
      const failed = { kind: 'failed', reason: 'r', failures: 1, delaySeconds: 3600 } as const;
      expect(await store.settle(await seen(store, run), EB4, failed)).toBe('landed');
      expect(await store.retryDue({ now, giveUpAfter: 10, limit: 5 })).toEqual([]);
    });

    it('set aside an unclaimed malformed run once', async () => {
      const run = await insert(store, runs, { number: 'x', bootstrax: null });
      const view = await seen(store, run);
      const problems = [{ field: 'number', problem: 'not an integer' }];
      const aside = { kind: 'set_aside', reason: 'malformed', problems } as const;
      expect(await store.settle(view, EB3, aside)).toBe('landed');
      expect(await store.settle(view, EB3, aside)).toBe('changed');
      expect(await store.newCandidates({ limit: 5 })).toEqual([]);
      expect(await store.claim(view, { attempt: newAttempt(), host: EB3 })).toBe('lost');
    });

    it.each([
      [undefined, []],
      [null, []],
      ['odd', ['odd']],
    ])('hold and release a run with tags %j', async (tags, others) => {
      const document = runDocument(1, { tags });
      if (tags === undefined) delete document.tags;
      const run = await insert(store, runs, document);
      await store.release(seenOf(run));
      await store.hold(seenOf(run), 'shifter');
      await store.hold(seenOf(run), 'shifter');
      expect((await runs.findOne({ _id: run._id }))!.tags).toEqual([
        ...others,
        { name: 'hold-processing', user: 'shifter', date: expect.any(Date) as Date },
      ]);
      expect(await store.newCandidates({ limit: 5 })).toEqual([]);
      await store.release(seenOf(run));
      expect((await runs.findOne({ _id: run._id }))!.tags).toEqual(others);
    });

    it('releasing keeps other tags', async () => {
      const run = await insert(store, runs, runDocument(1, { tags: [{ name: 'messy' }] }));
      await store.hold(seenOf(run), 'shifter');
      await store.release(seenOf(run));
      expect((await runs.findOne({ _id: run._id }))!.tags).toEqual([{ name: 'messy' }]);
    });
  });
}
