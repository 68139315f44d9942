import { describe, expect, it } from 'vitest';

import { createEbMonitorStore } from '../../../src/host/eb-monitor.store.ts';
import {
  createRateStore,
  maximalRatesPipeline,
  sumRates,
} from '../../../src/plan/data-rate.store.ts';
import { createAttemptStore, groupFailures } from '../../../src/retry/attempt-history.store.ts';
import { noted } from './noted.ts';
import { NOW } from './updates.ts';

const A = 'a'.repeat(24);
const STORED = { _id: A, run: 7, host: 'eb3', started: NOW, ended: null, result: null };
const READ = { attempt: A, run: 7, host: 'eb3', started: NOW, ended: null, result: null };

describe('the history of attempts', () => {
  it('of one is asked for by its name', async () => {
    const { calls, collection } = noted([STORED]);
    expect(await createAttemptStore(collection).get(A)).toEqual(READ);
    expect(calls).toEqual([['find', { _id: A }, { limit: 1 }]]);
    expect(await createAttemptStore(noted([]).collection).get(A)).toBeNull();
  });

  it('of a run is asked for newest first', async () => {
    const { calls, collection } = noted([STORED]);
    expect(await createAttemptStore(collection).ofRun(7, 5)).toEqual([READ]);
    expect(calls).toEqual([['find', { run: 7 }, { sort: { started: -1 }, limit: 5 }]]);
  });

  it('of a host is asked for by what has not ended, or newest end first', async () => {
    const { calls, collection } = noted([STORED]);
    const store = createAttemptStore(collection);
    expect(await store.unfinished('eb3')).toEqual([READ]);
    expect(await store.endedOn('eb3', NOW, 5)).toEqual([READ]);
    expect(calls).toEqual([
      ['find', { host: 'eb3', ended: null }, { limit: 1000 }],
      ['find', { host: 'eb3', ended: { $gte: NOW } }, { sort: { ended: -1 }, limit: 5 }],
    ]);
  });

  it('is counted from spans of its end, with nothing but figures', async () => {
    const ended = { ...STORED, ended: NOW, ofDebt: true, times: { claimed: NOW, started: 'soon' } };
    const result = { outcome: 'failed', cause: 'vanished', meaning: { class: 'host' }, seconds: 2 };
    const { calls, collection } = noted([
      { ...ended, result: { ...result, dropped: ['a', 'b'], peakMemoryBytes: 3, bytes: null } },
      { ...ended, result: { outcome: 5, meaning: 'odd' } },
      { ...ended, ended: 'never' },
    ]);
    const later = new Date(NOW.getTime() + 1000);
    const figures = await createAttemptStore(collection).endedBetween(NOW, later);
    expect(calls.map(([, filter]) => filter)).toEqual(
      [true, false].map((counted) => ({
        'result.counted': counted,
        ended: { $gte: NOW, $lt: later },
      })),
    );
    const common = { attempt: A, ended: NOW, ofDebt: true, times: { claimed: NOW } };
    const none = { cause: null, meaning: null, dropped: 0, seconds: null, bytes: null };
    expect(figures.slice(0, 2)).toEqual([
      { ...common, ...result, meaning: 'host', dropped: 2, peakMemoryBytes: 3, bytes: null },
      { ...common, ...none, outcome: '', peakMemoryBytes: null },
    ]);
    expect(figures).toHaveLength(4);
  });

  it('of failures is grouped, most frequent first, and cut', async () => {
    const failure = (fingerprint: string | null, run: number, host = 'eb3') => ({
      run,
      host,
      ended: NOW,
      result: {
        counted: true,
        fingerprint,
        reason: fingerprint === null ? null : `why ${fingerprint}`,
      },
    });
    const failures = [
      failure('rare', 1),
      failure('often', 2),
      failure('often', 3),
      failure(null, 4),
    ];
    const { calls, collection } = noted(failures);
    const group = (fingerprint: string, runs: number[], reason: string) => ({
      ...{ fingerprint, count: runs.length, runs, last: NOW, reason },
      ...{ counted: runs.length, meaning: null },
    });
    const often = group('often', [2, 3], 'why often');
    const rare = group('rare', [1], 'why rare');
    expect(groupFailures(failures)).toMatchObject([often, rare, group('unknown', [4], '')]);
    expect(groupFailures(failures).map(({ blame }) => blame.kind)).toEqual([
      'host',
      'open',
      'open',
    ]);
    expect(groupFailures([...failures, failure('last', 5), failure('last', 5)])[1]).toMatchObject({
      fingerprint: 'last',
      count: 2,
      runs: [5],
    });
    expect(groupFailures([failure('both', 5), failure('both', 5, 'eb4')])[0]?.blame).toEqual({
      kind: 'run',
      runs: [5],
      hosts: ['eb3', 'eb4'],
    });
    // Counted and not are asked for one after the other: here both find the same.
    expect(await createAttemptStore(collection).failureGroups(NOW, 1)).toMatchObject([
      { fingerprint: 'often', count: 4 },
    ]);
    const read = { run: 1, host: 'eb3', fingerprint: 'rare', class: null };
    const query = { since: NOW, fingerprints: ['rare'], classes: ['disk' as const], notOn: 'eb4' };
    expect((await createAttemptStore(collection).failures(query))[0]).toEqual(read);
    const names = ['run', 'host', 'ended'];
    const results = ['counted', 'fingerprint', 'reason', 'outcome', 'cause', 'meaning'].map(
      (name) => `result.${name}`,
    );
    const options = {
      projection: Object.fromEntries([...names, ...results].map((name) => [name, 1])),
      sort: { ended: -1 },
      limit: 1000,
    };
    const uncounted = { 'result.outcome': { $in: ['requeued', 'failed'] } };
    const narrower = {
      'result.fingerprint': { $in: ['rare'] },
      'result.meaning.class': { $in: ['disk'] },
      host: { $ne: 'eb4' },
    };
    const range = { ended: { $gte: NOW } };
    expect(calls).toEqual([
      ['find', { 'result.counted': true, ...range }, options],
      ['find', { 'result.counted': false, ...range, ...uncounted }, options],
      ['find', { 'result.counted': true, ...range, ...narrower }, options],
      ['find', { 'result.counted': false, ...range, ...uncounted, ...narrower }, options],
    ]);
  });
});

describe('rates', () => {
  it('are asked for and added up', async () => {
    const { calls, collection } = noted([
      { _id: 'tpc', rate: 400 },
      { _id: 'muon_veto', rate: 20.5 },
    ]);
    const store = createRateStore(collection, () => Promise.resolve('unsupported'));
    expect(await store.ofRun(7)).toEqual({
      total: 420.5,
      detectors: { tpc: 400, muon_veto: 20.5 },
    });
    expect(calls).toEqual([['aggregate', maximalRatesPipeline(7)]]);
    const { signal } = new AbortController();
    expect(await store.watch(7, () => undefined, signal)).toBe('unsupported');
  });

  it('that are none, or of no detector, do not count', () => {
    for (const group of [
      { _id: 'tpc', rate: 0 },
      { _id: 'tpc', rate: -1 },
      { _id: 'tpc', rate: NaN },
      { _id: 'tpc', rate: '5' },
      { _id: 5, rate: 5 },
    ]) {
      expect(sumRates([group])).toBeNull();
      const sum = { total: 2, detectors: { nv: 2 } };
      expect(sumRates([group, { _id: 'nv', rate: 2 }])).toEqual(sum);
    }
  });
});

it('the newest heartbeat is the first that is found', async () => {
  const sign = { host: 'eb3', state: 'busy' };
  const { calls, collection } = noted([sign]);
  const store = createEbMonitorStore(collection, () => Promise.resolve(NOW));
  expect(await store.newest('eb3')).toEqual(sign);
  expect(calls).toHaveLength(1);
});
