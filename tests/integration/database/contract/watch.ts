import type { Document } from 'mongodb';
import { afterEach, beforeEach, expect, it } from 'vitest';

import type { RunHint, RunStore } from '../../../../src/run/run.port.ts';
import { seenOf } from '../../../../src/run/stored-runs.ts';
import type { Open, Outside, TestStore } from './opened.ts';
import { claimed, insert, runDocument } from './run-documents.ts';

const PROGRESS = {
  phase: 'processing',
  chunks: 3,
  covered_seconds: 15,
  bytes: 1,
  memory_bytes: 1,
  mb_per_s: null,
  t: 1,
};

export interface Watching {
  hints: (RunHint | null)[];
  end(): Promise<'aborted' | 'unsupported'>;
}

/** Begins to watch and waits until nothing can be missed any more. */
export async function watching(store: RunStore): Promise<Watching> {
  const hints: (RunHint | null)[] = [];
  const stop = new AbortController();
  const ended = store.watch((hint) => hints.push(hint), stop.signal);
  await expect.poll(() => hints.length).toBeGreaterThan(0);
  return {
    hints,
    end: () => {
      stop.abort();
      return ended;
    },
  };
}

export function watchContract(open: Open): void {
  let test: TestStore;
  let store: RunStore;
  let runs: Outside;

  beforeEach(async () => {
    test = await open();
    store = test.store.runs;
    runs = test.runs;
    await runs.insertOne(runDocument(0));
  });
  afterEach(() => test.close());

  it('tells of inserted runs with their number, and nothing of the document', async () => {
    const watch = await watching(store);
    expect(watch.hints[0]).toBeNull();
    const { insertedId } = await runs.insertOne(runDocument(7));
    const hint = { kind: 'insert', id: insertedId, number: 7, touched: [] };
    await expect.poll(() => watch.hints.at(-1)).toEqual(hint);
    expect(await watch.end()).toBe('aborted');
  });

  it('misses nothing that happens right after the first call', async () => {
    const stop = new AbortController();
    const hints: (RunHint | null)[] = [];
    const inserted: Promise<unknown>[] = [];
    const ended = store.watch((hint) => {
      hints.push(hint);
      if (inserted.length === 0) inserted.push(runs.insertOne(runDocument(8)));
    }, stop.signal);
    await expect.poll(() => hints.some((hint) => hint?.number === 8)).toBe(true);
    stop.abort();
    await ended;
    await Promise.all(inserted);
  });

  it('tells of what matters, and not of heartbeats', async () => {
    const run = await insert(store, runs, runDocument(1));
    const watch = await watching(store);
    const fence = await claimed(store, run, { busy: true });
    for (let i = 0; i < 3; i++) {
      await store.heartbeat(fence, 'busy', null);
    }
    await store.heartbeat(fence, 'busy', PROGRESS);
    const heartbeats = watch.hints.length;
    for (let i = 0; i < 3; i++) {
      await store.heartbeat(fence, 'busy', { ...PROGRESS, chunks: 4 + i });
    }
    await runs.updateOne({ _id: run._id }, { $set: { end: new Date() } });
    await runs.updateOne({ _id: run._id }, { $set: { rate: { tpc: { avg: 1, max: 2 } } } });
    await runs.updateOne({ _id: run._id }, { $push: { tags: { name: 'abandon' } } as Document });
    await runs.updateOne({ _id: run._id }, { $set: { bootstrax: { state: 'abandoned' } } });
    const has = (field: string) =>
      watch.hints.some((hint) => hint?.touched.some((name) => name.startsWith(field)));
    await expect.poll(() => watch.hints.at(-1)).toMatchObject({ state: 'abandoned' });
    for (const field of ['end', 'rate', 'tags', 'bootstrax']) expect(has(field)).toBe(true);
    // The claim, the start, the first progress (a new field), and the four from outside.
    expect(watch.hints.length - 1).toBeLessThanOrEqual(7);
    expect(heartbeats).toBeLessThanOrEqual(4);
    await watch.end();
  });

  it('tells of what is taken away', async () => {
    const run = await insert(store, runs, runDocument(1));
    await store.hold(seenOf(run), 'shifter');
    await runs.updateOne({ _id: run._id }, { $set: { comment: 'x' } });
    const watch = await watching(store);
    await store.release(seenOf(run));
    await expect.poll(() => watch.hints.at(-1)?.touched).toEqual(['tags']);
    await runs.updateOne({ _id: run._id }, { $unset: { bootstrax: '' } });
    await expect.poll(() => watch.hints.at(-1)?.touched).toEqual(['bootstrax']);
    await watch.end();
  });

  it('of rates tells only of the run asked for', async () => {
    const status = test.outside('aggregate_status');
    await status.insertOne({ number: 1, detector: 'tpc', rate: 0 });
    let calls = 0;
    const stop = new AbortController();
    const ended = test.store.rates.watch(7, () => calls++, stop.signal);
    await expect.poll(() => calls).toBe(1);
    await status.insertOne({ number: 6, detector: 'tpc', rate: 400 });
    await status.insertOne({ number: 7, detector: 'tpc', rate: 400 });
    await expect.poll(() => calls).toBe(2);
    stop.abort();
    expect(await ended).toBe('aborted');
  });
}
