import { type Document, ObjectId } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { DeletionFound } from '../../../../src/features/deletion/deletion.port.ts';
import { onEmptyStore, type Open, type TestStore } from './opened.ts';
import { EB3, EB4, newAttempt, runDocument } from './run-documents.ts';

const LIVE = '/live_data/xenonnt';
const TAGS = ['hold-processing', 'abandon'];

const FOUND: DeletionFound = {
  folder: `${LIVE}/051234`,
  location: LIVE,
  vouchedBy: [
    {
      type: 'raw_records',
      location: '/data/$051234-raw_records-abc',
      chunks: 2,
      rows: 10,
      bytes: 100,
      startNs: '1795430089000000000',
      endNs: '1795430091999999000',
      digest: 'f'.repeat(64),
    },
  ],
  how: 'every $chunk decompressed',
  files: 3,
  bytes: 5_000_000_000,
};

/** Records of deletions, and live data that leaves the run document. */
export function deletionsContract(open: Open): void {
  describe('records', () => {
    let test: TestStore;
    beforeAll(async () => {
      test = await open();
    });
    afterAll(() => test.close());

    it('are asked for once, and go from checking to deleting to done', async () => {
      const { deletions } = test.store;
      const attempt = newAttempt();
      await deletions.request({ attempt, run: 1, host: EB3 });
      const asked = await deletions.get(attempt);
      expect(asked).toEqual({
        attempt,
        run: 1,
        host: EB3,
        state: 'checking',
        begun: expect.any(Date) as Date,
        ...{ problem: null, cause: null, checked: null, ended: null, folder: null, how: null },
        ...{ location: null, vouchedBy: [], files: null, bytes: null, bytesFreed: null },
      });
      await deletions.note(attempt, 'the $disk');
      expect((await deletions.get(attempt))?.problem).toBe('the $disk');
      await deletions.begin(attempt, FOUND);
      await deletions.request({ attempt, run: 1, host: EB3 });
      expect(await deletions.get(attempt)).toEqual({
        ...asked,
        ...FOUND,
        state: 'deleting',
        checked: expect.any(Date) as Date,
      });
      await deletions.done(attempt);
      const done = await deletions.get(attempt);
      expect(done).toMatchObject({ state: 'done', bytesFreed: FOUND.bytes, problem: null });
      expect(done?.ended).toBeInstanceOf(Date);
      // What is at its end stays so, however often it is written.
      await deletions.done(attempt);
      await deletions.refuse(attempt, 'too late');
      await deletions.begin(attempt, FOUND);
      await deletions.note(attempt, 'too late');
      await deletions.request({ attempt, run: 1, host: EB3 }, { again: true });
      expect(await deletions.get(attempt)).toEqual(done);
    });

    it('that are refused stay so until they are asked for again', async () => {
      const { deletions } = test.store;
      const attempt = newAttempt();
      await deletions.request({ attempt, run: 2, host: EB3 });
      await deletions.begin(attempt, FOUND);
      await deletions.refuse(attempt, 'a $cause');
      const refused = await deletions.get(attempt);
      expect(refused).toMatchObject({ state: 'refused', cause: 'a $cause', bytesFreed: null });
      await deletions.request({ attempt, run: 2, host: EB3 });
      expect(await deletions.get(attempt)).toEqual(refused);
      await deletions.request({ attempt, run: 2, host: EB3 }, { again: true });
      expect(await deletions.get(attempt)).toMatchObject({
        state: 'checking',
        ...{ cause: null, folder: null, vouchedBy: [], ended: null },
      });
    });

    it('are found by host, by run and by time', async () => {
      const { deletions } = test.store;
      const [a, b, c] = [newAttempt(), newAttempt(), newAttempt()];
      await deletions.request({ attempt: a, run: 31, host: EB4 });
      await deletions.request({ attempt: b, run: 31, host: EB4 });
      await deletions.request({ attempt: c, run: 32, host: EB4 });
      await deletions.refuse(a, 'no');
      await deletions.begin(c, FOUND);
      const idsOf = (found: readonly { attempt: string }[]) => found.map(({ attempt }) => attempt);
      expect(idsOf(await deletions.unfinished(EB4))).toEqual([b, c]);
      expect(idsOf(await deletions.unfinished(null))).toEqual(expect.arrayContaining([b, c]));
      expect(await deletions.unfinished('eb9.xenon.local')).toEqual([]);
      expect(idsOf(await deletions.ofRun(31)).sort()).toEqual([a, b].sort());
      expect(await deletions.ofRun(33)).toEqual([]);
      expect(idsOf(await deletions.since(new Date(0), 100))).toEqual(
        expect.arrayContaining([a, b, c]),
      );
      expect(await deletions.since(new Date(Date.now() + 3_600_000), 100)).toEqual([]);
    });

    it('by somebody else are read whatever their shape', async () => {
      await test
        .outside('bootstrax_deletions')
        .insertOne({ _id: 'odd' as never, run: 34, host: EB3, state: 'checking', files: '3' });
      expect(await test.store.deletions.ofRun(34)).toMatchObject([
        { attempt: 'odd', files: null, location: null, vouchedBy: [] },
      ]);
    });
  });

  describe('live data', () => {
    let test: TestStore;
    onEmptyStore(open, (opened) => (test = opened));

    const live = { type: 'live', host: 'daq', location: LIVE };
    const other = { type: 'peaks', host: EB3, location: '/data/x', protocol: 'FileSytemBackend' };

    async function doneRun(changes: Document = {}, bootstrax: Document = {}) {
      const attempt = newAttempt();
      const document = runDocument(51234, {
        data: [{ ...live, meta: 'x', extra: 1 }, other],
        bootstrax: { state: 'done', host: EB3, last_attempt: attempt, ...bootstrax },
        ...changes,
      });
      const { insertedId } = await test.runs.insertOne(document);
      const read = async () => (await test.runs.findOne({ _id: insertedId }))!;
      return { fence: { id: insertedId, attempt, host: EB3 }, read };
    }
    const options = { unlessTagged: TAGS, again: false };

    it('leaves `data` for `deleted_data`, with its own fields and nothing of the others changed', async () => {
      const before = { type: 'events', host: EB4, at: new Date(5), by: EB4 };
      const { fence, read } = await doneRun({ deleted_data: [before] });
      expect(await test.store.runs.withdrawLive(fence, LIVE, options)).toBe('landed');
      const { data, deleted_data: deleted } = await read();
      expect(data).toEqual([other]);
      expect(deleted).toEqual([
        before,
        { type: 'live', host: 'daq', extra: 1, at: expect.any(Date) as Date, by: EB3 },
      ]);
      // Once: again it is not there, unless the answer was lost.
      expect(await test.store.runs.withdrawLive(fence, LIVE, options)).toBe('changed');
      const again = { ...options, again: true };
      expect(await test.store.runs.withdrawLive(fence, LIVE, again)).toBe('landed');
      expect((await read())['deleted_data']).toEqual(deleted);
    });

    it.each<[string, Document, Document]>([
      ['is not done', {}, { state: 'failed' }],
      ['is done by another host', {}, { host: EB4 }],
      ['was done by another attempt', {}, { last_attempt: 'f'.repeat(24) }],
      ['is in somebody’s hands', {}, { attempt: 'f'.repeat(24) }],
      ['is held', { tags: [{ name: 'hold-processing' }] }, {}],
      ['is to be abandoned', { tags: [{ name: 'x' }, { name: 'abandon' }] }, {}],
      ['has live data elsewhere', { data: [{ ...live, location: '/elsewhere' }, other] }, {}],
      ['has live data of another host', { data: [{ ...live, host: EB3 }, other] }, {}],
      ['has none', { data: [other] }, {}],
    ])('stays where it is if the run %s', async (_, changes, bootstrax) => {
      const { fence, read } = await doneRun(changes, bootstrax);
      const before = await read();
      expect(await test.store.runs.withdrawLive(fence, LIVE, options)).toBe('changed');
      const again = { ...options, again: true };
      expect(await test.store.runs.withdrawLive(fence, LIVE, again)).toBe('changed');
      expect(await read()).toEqual(before);
    });

    it('that somebody else has taken out was not taken out here', async () => {
      const deleted = { type: 'live', host: 'daq', at: new Date(5), by: 'ajax.eb0' };
      const { fence } = await doneRun({ data: [other], deleted_data: [deleted] });
      const again = { ...options, again: true };
      expect(await test.store.runs.withdrawLive(fence, LIVE, again)).toBe('changed');
      const gone = { ...fence, id: new ObjectId() };
      expect(await test.store.runs.withdrawLive(gone, LIVE, again)).toBe('changed');
    });
  });
}
