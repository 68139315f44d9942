import { describe, expect, it } from 'vitest';

import { fieldsOf } from '../../../src/infra/values/bson-values.pure.ts';
import type { RunHint } from '../../../src/run/run.port.ts';
import { seenOf } from '../../../src/run/stored-runs.ts';
import { holderOf } from '../../support/holder.ts';
import { opened } from '../../unit/run/documents.ts';
import {
  answerLost,
  createDatabase,
  type Hooks,
  MOST_HEARTBEATS,
  notCarriedOut,
  openStore,
} from './index.ts';

const START = Date.parse('2026-01-02T03:04:05Z');
const OWNER = { attempt: 'a'.repeat(24), host: 'eb3' };

function simulated(hooks: Hooks = {}) {
  const clock = { now: START };
  const database = createDatabase(() => clock.now);
  return { clock, database, store: openStore(database, hooks) };
}

const newRun = (number: number) => ({
  number,
  start: new Date(START),
  bootstrax: { state: null },
  tags: [],
  data: [],
});

describe('the store in memory', () => {
  it('takes its time from the clock alone', async () => {
    const { clock, database, store } = simulated();
    await database.runs.insertOne(newRun(1));
    clock.now = START + 12_345;
    const [run] = await store.runs.byNumber(1);
    await store.runs.claim(seenOf(run!), OWNER);
    const [after] = await store.runs.byNumber(1);
    expect(opened(after).bootstrax).toMatchObject({ time: new Date(START + 12_345) });
    expect(await store.serverTime()).toEqual(new Date(START + 12_345));
    await database.runs.updateOne({ number: 1 }, { $currentDate: { 'bootstrax.time': true } });
    clock.now = 0;
    const status = { host: 'a', state: 'idle', holder: holderOf('a'), extras: {} } as const;
    await expect(store.hosts.take(status, null)).rejects.toThrow('after 1970');
  });

  it('gives out what nobody can change', async () => {
    const { database, store } = simulated();
    await database.runs.insertOne(newRun(1));
    const [run] = await store.runs.byNumber(1);
    expect(() => (fieldsOf(opened(run).bootstrax).state = 'odd')).toThrow(TypeError);
    expect(() => (opened(run).tags as unknown[]).push(1)).toThrow(TypeError);
    const given = { name: 'x', deep: { list: [1] } };
    await database.runs.updateOne({ number: 1 }, { $set: { given } });
    given.deep.list.push(2);
    expect(await database.runs.findOne({ number: 1 })).toMatchObject({
      given: { deep: { list: [1] } },
    });
  });

  it('one database serves the stores of many hosts', async () => {
    const { database, store } = simulated();
    const other = openStore(database);
    await database.runs.insertOne(newRun(1));
    const [run] = await store.runs.byNumber(1);
    const view = seenOf(run!);
    expect(await other.runs.claim(view, { ...OWNER, host: 'eb4' })).toBe('claimed');
    expect(await store.runs.claim(view, OWNER)).toBe('lost');
  });

  it('a hook can keep calls from the database, and whoever calls hears of it', async () => {
    const operations: string[] = [];
    const { database, store } = simulated({
      call: (operation) => {
        operations.push(operation);
        return Promise.reject(notCarriedOut(operation));
      },
    });
    const { insertedId: id } = await database.runs.insertOne(newRun(1));
    const view = { id, number: 1, state: null, host: null, time: null, attempt: null };
    await expect(store.runs.claim(view, OWNER)).rejects.toMatchObject({
      kind: 'unreachable',
      uncertain: false,
    });
    await expect(store.ping()).rejects.toMatchObject({ kind: 'unreachable' });
    await expect(store.serverTime()).rejects.toMatchObject({ kind: 'unreachable' });
    await expect(store.daqLog.write({ host: 'a', priority: 'info', message: 'm' })).rejects.toThrow(
      'no connection',
    );
    expect(operations).toEqual([
      'updating runs',
      'ping',
      'asking for the time',
      'inserting into log',
    ]);
    expect(await database.log.countDocuments()).toBe(0);
  });

  it.each([
    ['after the update', true, []],
    ['before it', false, [100]],
  ])('an answer lost %s is looked for, with the waits of the hook', async (_, landed, waits) => {
    let losing = true;
    const pauses: number[] = [];
    const { database, store } = simulated({
      call: async (operation, carryOut) => {
        if (!losing || !operation.startsWith('updating')) return carryOut();
        losing = false;
        if (landed) await carryOut();
        throw answerLost(operation);
      },
      pause: (milliseconds) => {
        pauses.push(milliseconds);
        return Promise.resolve();
      },
    });
    await database.runs.insertOne(newRun(1));
    const [run] = await store.runs.byNumber(1);
    expect(await store.runs.claim(seenOf(run!), OWNER)).toBe('claimed');
    expect(pauses).toEqual(waits);
    expect(await database.runs.findOne({ number: 1 })).toMatchObject({ bootstrax: OWNER });
  });

  it('hints go through the hook, and none comes after the end', async () => {
    const waiting: (() => void)[] = [];
    const { database, store } = simulated({ hint: (deliver) => waiting.push(deliver) });
    const hints: (RunHint | null)[] = [];
    const stop = new AbortController();
    const ended = store.runs.watch((hint) => hints.push(hint), stop.signal);
    await database.runs.insertOne(newRun(1));
    await database.runs.insertOne(newRun(2));
    await database.runs.updateOne({ number: 2 }, { $set: { number: 2 } });
    expect(hints).toEqual([]);
    expect(waiting).toHaveLength(3);
    for (const deliver of [waiting[2]!, waiting[1]!, waiting[1]!]) deliver();
    expect(hints.map((hint) => hint?.number)).toEqual([2, 1, 1]);
    stop.abort();
    waiting[0]!();
    expect(hints).toHaveLength(3);
    expect(await ended).toBe('aborted');
    await database.runs.insertOne(newRun(3));
    expect(waiting).toHaveLength(3);
    expect(await store.runs.watch(() => undefined, stop.signal)).toBe('aborted');
  });

  it('keeps the latest heartbeats only', async () => {
    const { database, store } = simulated();
    const sign = { host: 'eb3', state: 'idle' } as Parameters<typeof store.ebMonitor.write>[0];
    const last = MOST_HEARTBEATS + 99;
    for (let pid = 0; pid <= last; pid++) await store.ebMonitor.write({ ...sign, pid });
    const kept = [...database.ebMonitor.all()].map(({ pid }) => pid as number);
    expect(kept).toEqual(Array.from({ length: MOST_HEARTBEATS }, (_, i) => i + 100));
    expect(await store.ebMonitor.newest('eb3')).toMatchObject({ pid: last });
  });

  it('refuses what it cannot do as MongoDB does it', async () => {
    const { database } = simulated();
    await database.runs.insertOne({ ...newRun(1), list: [{ a: 1 }] });
    const refused = (update: object[]) =>
      expect(database.runs.updateOne({ number: 1 }, update)).rejects.toThrow('simulated store');
    await refused([{ $project: { number: 1 } }]);
    await refused([{ $set: { 'bootstrax.state': 1 } }]);
    await refused([{ $set: { bootstrax: { state: 1 } } }]);
    await refused([{ $unset: ['list.a'] }]);
    await expect(database.runs.find({}, { projection: { number: 0 } }).toArray()).rejects.toThrow(
      'simulated store',
    );
  });
});
