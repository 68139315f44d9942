import { ObjectId } from 'mongodb';
import { describe, expect, it } from 'vitest';

import { createEbMonitorStore, hostHeartbeatUpdate } from '../../../src/host/eb-monitor.store.ts';
import type { HostHeartbeat, HostStatus } from '../../../src/host/host.port.ts';
import { createHostStore, hostUpdate } from '../../../src/host/host.store.ts';
import { maximalRatesPipeline } from '../../../src/plan/data-rate.store.ts';
import { createDaqLogStore, logDocument } from '../../../src/ports/daq-log.store.ts';
import type { StoredOutcome } from '../../../src/retry/attempt-history.port.ts';
import {
  beginUpdate,
  createAttemptStore,
  endUpdate,
} from '../../../src/retry/attempt-history.store.ts';
import { holderOf } from '../../support/holder.ts';
import { noted } from './noted.ts';
import { NOW, updated } from './updates.ts';

const RECORD = {
  attempt: 'a'.repeat(24),
  run: 7,
  host: '$eb3',
  mode: '$mode',
  failures: 2,
  plan: { targets: ['$peaks'], '$odd.name': 1 },
};
const OUTCOME: StoredOutcome = {
  outcome: 'failed',
  cause: 'vanished',
  counted: true,
  reason: '$why',
  traceback: null,
  fingerprint: 'abc',
  plugin: null,
  seconds: 3,
  peakMemoryBytes: 1,
  bytes: 2,
  chunks: 3,
  dropped: [],
  products: [{ lineage: { a: '$b' } }],
  versions: { strax: '2' },
};
const SIGN: HostHeartbeat = {
  host: '$eb3',
  pid: 123,
  state: 'idle',
  targets: ['$events'],
  max_cores: 8,
  max_messages: 10,
  undying: true,
  production_mode: true,
  cpu_percent: 1,
  memory_percent: 2,
  swap_percent: 0,
  disk_used: 40,
  thinking: 'Waiting for $money.',
  instance: '0123456789abcdef01234567',
};

describe('the history of attempts', () => {
  const { attempt, ...fields } = RECORD;

  it('begins with the record and the time, once', () => {
    const begun = updated({ _id: attempt }, beginUpdate(RECORD));
    expect(begun).toEqual({ _id: attempt, ...fields, started: NOW, ended: null, result: null });
    const ended = { ...begun, started: new Date(1), ended: new Date(2), result: OUTCOME };
    expect(updated({ ...ended, host: 'old' }, beginUpdate(RECORD))).toEqual(ended);
  });

  it('ends with the outcome and the time of the first end', () => {
    const begun = { _id: attempt, ...fields, started: NOW, ended: null, result: null };
    expect(updated(begun, endUpdate(OUTCOME))).toEqual({ ...begun, ended: NOW, result: OUTCOME });
    expect(updated({ ...begun, ended: new Date(2) }, endUpdate(OUTCOME)).ended).toEqual(
      new Date(2),
    );
  });

  it('adds to the times that it knows, and keeps them where nothing is added', () => {
    const begun = { _id: attempt, ...fields, times: { claimed: new Date(1) } };
    const times = { started: new Date(2), runEnd: new Date(3) };
    expect(updated(begun, endUpdate(OUTCOME, times)).times).toEqual({
      claimed: new Date(1),
      ...times,
    });
    expect(updated(begun, endUpdate(OUTCOME)).times).toEqual({ claimed: new Date(1) });
    expect(updated({ ...begun, times: 'odd' }, endUpdate(OUTCOME, times)).times).toEqual(times);
  });

  it('is written under the name of the attempt; only its beginning creates it', async () => {
    const { calls, collection } = noted();
    const store = createAttemptStore(collection);
    await store.begin(RECORD);
    await store.plan(attempt, RECORD.plan);
    expect(await store.end(attempt, OUTCOME)).toBe(true);
    const none = createAttemptStore(noted([], 0).collection);
    expect(await none.end(attempt, OUTCOME)).toBe(false);
    const byId = { _id: attempt };
    expect(calls).toEqual([
      ['repeatUpdateOne', 'attempts.begin', byId, beginUpdate(RECORD), { upsert: true }],
      ['repeatUpdateOne', 'attempts.plan', byId, [{ $set: { plan: { $literal: RECORD.plan } } }]],
      ['repeatUpdateOne', 'attempts.end', byId, endUpdate(OUTCOME)],
    ]);
  });
});

describe('hosts', () => {
  const holder = holderOf('$eb3');
  const extras = { run: 7, why: '$x', time: 5 };
  const status: HostStatus = { host: '$eb3', state: 'busy', holder, extras };
  const _id = 'host:$eb3';

  it('have one document each, replaced as a whole by the manager that it names', async () => {
    const expected = { _id, host: '$eb3', state: 'busy', time: NOW, holder, run: 7, why: '$x' };
    expect(updated({ _id, old: 2 }, hostUpdate(status))).toEqual(expected);
    const { holder: _holder, ...left } = expected;
    expect(updated({ _id }, hostUpdate({ ...status, isLast: true }))).toEqual(left);
    const { calls, collection } = noted();
    await createHostStore(collection).write(status);
    const own = { _id, 'holder.instance': holder.instance };
    expect(calls).toEqual([['repeatUpdateOne', 'hosts.write', own, hostUpdate(status)]]);
  });

  it('are read as far as they are hosts, the newest of each', async () => {
    const earlier = new Date(NOW.getTime() - 1);
    const { calls, collection } = noted([
      { host: 'a', state: 'busy', time: NOW, run: 1 },
      { host: 'a', state: 'idle', time: earlier },
      { host: 'b', state: 5, time: NOW, holder: { ...holder, more: 1 } },
      { host: 5, state: 'busy', time: NOW },
      { host: 'c', state: 'busy', time: 'yesterday' },
    ]);
    expect(await createHostStore(collection).all()).toEqual([
      { host: 'a', state: 'busy', time: NOW, holder: null, extras: { run: 1 } },
      { host: 'b', state: '', time: NOW, holder, extras: {} },
    ]);
    const hosts = { host: { $gt: '' } };
    expect(calls).toEqual([['find', hosts, { projection: { _id: 0 }, limit: 100 }]]);
  });
});

describe('heartbeats', () => {
  it('are new documents with the time of the server', async () => {
    const sign = { ...SIGN, run_id: '000007', cores: undefined } as unknown as HostHeartbeat;
    expect(updated({ _id: 1 }, hostHeartbeatUpdate(sign))).toEqual({
      _id: 1,
      ...SIGN,
      run_id: '000007',
      time: NOW,
    });
    const { calls, collection } = noted();
    const store = createEbMonitorStore(collection, () => Promise.resolve(NOW));
    await store.write(SIGN);
    await store.write(SIGN);
    const written = calls.map(([method, write, filter, update, options]) => {
      const id = (filter as { _id: unknown })._id;
      expect(id).toBeInstanceOf(ObjectId);
      expect([method, write, update, options]).toEqual([
        'repeatUpdateOne',
        'eb_monitor.write',
        hostHeartbeatUpdate(SIGN),
        { upsert: true },
      ]);
      return String(id);
    });
    expect(new Set(written).size).toBe(2);
  });

  it('are looked for among the recent ones first', async () => {
    const { calls, collection } = noted();
    const store = createEbMonitorStore(collection, () => Promise.resolve(NOW));
    expect(await store.newest('eb3')).toBeNull();
    const before = (seconds: number) => new Date(NOW.getTime() - seconds * 1000);
    const options = { sort: { _id: -1 }, limit: 1 };
    expect(calls).toEqual([
      ['find', { host: 'eb3', time: { $gte: before(300) } }, options],
      ['find', { host: 'eb3', time: { $gte: before(86_400) } }, options],
      ['find', { host: 'eb3' }, options],
    ]);
  });

  it('show who is alive by the latest of each', async () => {
    const { calls, collection } = noted([
      { host: 'a', state: 'dead_bootstrax' },
      { host: 'b', state: 'idle' },
      { host: 'a', state: 'busy' },
      { host: 'b', state: 'dead_bootstrax' },
      { host: 'c', state: 'disk full' },
      { host: 'd', state: 'starting' },
    ]);
    const store = createEbMonitorStore(collection, () => Promise.resolve(NOW));
    expect(await store.alive(['a', 'b', 'c', 'd'], 60)).toEqual(['a', 'd']);
    expect(calls).toEqual([
      [
        'find',
        { host: { $in: ['a', 'b', 'c', 'd'] }, time: { $gte: new Date(NOW.getTime() - 60_000) } },
        { projection: { host: 1, state: 1 }, sort: { _id: 1 } },
      ],
    ]);
  });
});

describe('the log of the DAQ', () => {
  it.each([
    ['debug', 0],
    ['info', 1],
    ['warning', 2],
    ['error', 3],
    ['fatal', 4],
  ] as const)('%s has priority %d', (priority, number) => {
    expect(logDocument({ host: 'eb3', priority, message: 'm' })).toEqual({
      message: 'm',
      user: 'bootstrax_eb3',
      priority: number,
    });
  });

  it('names the run, and has an id of its own', async () => {
    const { calls, collection } = noted();
    await createDaqLogStore(collection).write({
      host: 'eb3',
      priority: 'info',
      message: 'm',
      run: 0,
    });
    expect(calls).toEqual([
      [
        'insertOne',
        'daq_log.write',
        {
          _id: expect.any(ObjectId) as ObjectId,
          message: 'm',
          user: 'bootstrax_eb3',
          priority: 1,
          runid: 0,
        },
      ],
    ]);
  });
});

it('rates are asked for by run, the largest of each detector', () => {
  expect(maximalRatesPipeline(7)).toEqual([
    { $match: { number: 7 } },
    { $group: { _id: '$detector', rate: { $max: '$rate' } } },
  ]);
});
