import type { Document } from 'mongodb';
import { expect, it } from 'vitest';

import type { DebtFence, DebtStore } from '../../../../src/attempt/debt/debt.port.ts';
import { debtFacts } from '../../../../src/attempt/debt/debt.pure.ts';
import type { StoredOutcome } from '../../../../src/retry/attempt-history.port.ts';
import { readRun } from '../../../../src/run/run.pure.ts';
import { seenOf } from '../../../../src/run/stored-runs.ts';
import { onEmptyStore, type Open, type Outside, type TestStore } from './opened.ts';
import { EB3, EB4, newAttempt, PLAN, runDocument } from './run-documents.ts';

const ENTRY = { type: 'raw_records', host: EB3, location: '/out/000001-raw_records-aaaaaaaaaa' };
const MADE = { type: 'peaks', location: '/out/000001-peaks-aaaaaaaaaa', lineage: { x: 1 } };

/** What is done about the targets that done runs lack. */
export function debtsContract(open: Open): void {
  let test: TestStore;
  let debts: DebtStore;
  let runs: Outside;
  onEmptyStore(open, (opened) => {
    test = opened;
    debts = opened.store.debts;
    runs = opened.runs;
  });

  const time = new Date('2026-01-01T00:00:00Z');
  async function done(fields: Document = {}, bootstrax: Document = {}) {
    const last = newAttempt();
    const document = runDocument(1, {
      ...{ end: time, data: [ENTRY], status: 'eb_finished_pre', ...fields },
      bootstrax: {
        state: 'done',
        host: EB3,
        time,
        n_failures: 4,
        last_attempt: last,
        ...bootstrax,
      },
    });
    const { insertedId: _id } = await runs.insertOne(document);
    return { _id, last };
  }
  const read = async ({ _id }: { _id: unknown }) => (await runs.findOne({ _id }))!;
  async function claim(id: Awaited<ReturnType<typeof done>>, host = EB3) {
    const fence: DebtFence = { id: id._id, attempt: newAttempt(), host };
    const seen = seenOf((await debts.run(id._id))!);
    return { fence, answer: await debts.claim(seen, fence) };
  }

  it('a debt is taken from a done run, which stays done, without its status', async () => {
    const run = await done();
    const { fence, answer } = await claim(run);
    expect(answer).toBe('claimed');
    expect(await read(run)).toMatchObject({
      ...{ status: null, data: [ENTRY] },
      bootstrax: {
        ...{ state: 'done', host: EB3, time, n_failures: 4, last_attempt: run.last },
        debt: { attempt: fence.attempt, host: EB3, time: expect.any(Date) as Date },
      },
    });
    expect((await claim(run)).answer).toBe('lost');
    expect(await debts.renew(fence)).toBe('landed');
    expect(await debts.renew({ ...fence, attempt: newAttempt() })).toBe('superseded');
  });

  it.each<[string, Document, Document]>([
    ['transferred', { status: 'transferred' }, {}],
    ['with restrax', { restrax: { state: 'busy' } }, {}],
    ['of another host', {}, { host: EB4 }],
    ['that failed', {}, { state: 'failed' }],
    ['that is busy', {}, { state: 'busy', attempt: 'a' }],
  ])('but not from a run %s', async (_name, fields, bootstrax) => {
    const run = await done(fields, bootstrax);
    const before = await read(run);
    expect((await claim(run)).answer).toBe('lost');
    expect(await read(run)).toEqual(before);
  });

  it.each([null, undefined, 'eb_finished_pre'])(
    'a status of %s is no hindrance',
    async (status) => {
      const run = await done({ status, restrax: { state: 'failed', n_tries: 2 } });
      expect((await claim(run)).answer).toBe('claimed');
    },
  );

  it('what was added is listed together with the status', async () => {
    const run = await done();
    const { fence } = await claim(run);
    const made = { register: [MADE], plan: PLAN };
    expect(await debts.pay({ ...fence, host: EB4 }, made)).toBe('superseded');
    expect(await debts.pay(fence, made)).toBe('landed');
    // A lost answer is that of the first time.
    expect(await debts.pay(fence, made, true)).toBe('landed');
    const stored = await read(run);
    expect(stored).toMatchObject({
      status: 'eb_finished_pre',
      bootstrax: { state: 'done', n_failures: 4, last_attempt: run.last, plan: PLAN },
    });
    expect(stored.bootstrax).not.toHaveProperty('debt');
    expect((stored.data as Document[]).map(({ type }) => type as string)).toEqual([
      'raw_records',
      'peaks',
    ]);
    expect(debtFacts(readRun(stored))).toMatchObject({
      debtAttempt: null,
      debtPaid: fence.attempt,
    });
  });

  it('nothing is added to a run with which somebody has gone on', async () => {
    const run = await done();
    const { fence } = await claim(run);
    await runs.updateOne({ _id: run._id }, { $set: { status: 'eb_ready_to_upload' } });
    const made = { register: [MADE], plan: PLAN };
    expect(await debts.pay(fence, made)).toBe('superseded');
    await debts.giveBack(fence);
    const stored = await read(run);
    expect(stored).toMatchObject({ status: 'eb_ready_to_upload', data: [ENTRY] });
    expect(stored.bootstrax).not.toHaveProperty('debt');
  });

  it('it is given back, by its holder and by nobody else, whatever has become of the run', async () => {
    const run = await done();
    const { fence } = await claim(run);
    await debts.giveBack({ ...fence, attempt: newAttempt() });
    expect(debtFacts(readRun(await read(run))).debtAttempt).toBe(fence.attempt);
    await debts.giveBack(fence);
    expect(await read(run)).toMatchObject({
      ...{ status: 'eb_finished_pre', bootstrax: { state: 'done', time } },
    });
    const other = await done();
    const held = await claim(other);
    await runs.updateOne({ _id: other._id }, { $set: { 'bootstrax.state': 'abandoned' } });
    await debts.giveBack(held.fence);
    const stored = await read(other);
    expect(stored).toMatchObject({ status: null, bootstrax: { state: 'abandoned' } });
    expect(stored.bootstrax).not.toHaveProperty('debt');
  });

  it('that of a silent holder is released, unless it has sent a heartbeat since', async () => {
    const run = await done();
    const { fence } = await claim(run);
    const then = await read(run);
    const seen = seenOf((await debts.run(run._id))!);
    const debtThen = readRun(then).own.debt!.seen;
    await runs.updateOne({ _id: run._id }, { $set: { 'bootstrax.debt.time': new Date(5) } });
    expect(await debts.release(seen, debtThen)).toBe('changed');
    const debtNow = { ...debtThen, time: new Date(5) };
    expect(await debts.release(seen, debtNow)).toBe('landed');
    expect(await read(run)).toMatchObject({ status: 'eb_finished_pre' });
    expect(await debts.renew(fence)).toBe('superseded');
  });

  it('debts are found in the history, by age and host, until they are paid', async () => {
    const outcome = (dropped: string[], more: Partial<StoredOutcome> = {}): StoredOutcome => ({
      ...{ outcome: 'done', cause: 'finished', counted: false, reason: null, traceback: null },
      ...{ fingerprint: null, plugin: null, seconds: 1, peakMemoryBytes: null, bytes: null },
      ...{ chunks: null, dropped, products: [], versions: {}, ...more },
    });
    const begun = async (host: string, result: StoredOutcome) => {
      const attempt = newAttempt();
      const { attempts } = test.store;
      await attempts.begin({ attempt, run: 9, host, mode: null, failures: 0, plan: null });
      await attempts.end(attempt, result);
      return attempt;
    };
    const one = await begun(EB3, outcome(['events']));
    const two = await begun(EB4, outcome(['events', 'peaks']));
    await begun(EB3, outcome([]));
    await begun(EB3, outcome(['events'], { outcome: 'failed', counted: true }));
    const since = new Date(0);
    const ids = async (host?: string) =>
      (await debts.open({ since, limit: 10, ...(host === undefined ? {} : { host }) })).map(
        ({ attempt }) => attempt,
      );
    expect((await ids()).sort()).toEqual([one, two].sort());
    expect(await ids(EB3)).toEqual([one]);
    expect(await debts.open({ since: new Date(Date.now() + 3_600_000), limit: 10 })).toEqual([]);

    expect(await debts.offered(EB3, 10)).toEqual([]);
    await debts.note(one, { offered: true, by: 'somebody', tries: 0 });
    expect(await debts.offered(EB3, 10)).toMatchObject([
      { attempt: one, debt: { offered: true, by: 'somebody', tries: 0 } },
    ]);
    await debts.note(one, { offered: false, paid: true });
    expect(await debts.offered(EB3, 10)).toEqual([]);
    expect(await ids()).toEqual([two]);
  });
}
