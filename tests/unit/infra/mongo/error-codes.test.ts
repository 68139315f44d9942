import { MongoServerError, ObjectId } from 'mongodb';
import { describe, expect, it } from 'vitest';

import type { HostStatus } from '../../../../src/host/host.port.ts';
import { StoreError, toStoreError } from '../../../../src/infra/mongo/store-error.ts';
import type { Store } from '../../../../src/ports/store.ts';
import type { StoredOutcome } from '../../../../src/retry/attempt-history.port.ts';
import type { Fence } from '../../../../src/run/run.port.ts';
import type { Seen } from '../../../../src/run/run-document.port.ts';
import { EB3, EB4 } from '../../../integration/database/contract/run-documents.ts';
import { createDatabase, type MemoryDatabase, openStore } from '../../../simulation/store/index.ts';
import { holderOf } from '../../../support/holder.ts';
import { runCalls, type RunsOfCalls } from '../../../support/run-calls.ts';
import { NOW } from '../../database/updates.ts';

const status: HostStatus = {
  ...{ host: EB3, state: 'idle', holder: holderOf(EB3) },
  extras: { slots: 1 },
};

/** Known and unknown ones, of MongoDB 4.4 to 8 and of servers that speak its protocol. */
const CODES = [
  ...[1, 2, 6, 7, 8, 9, 11, 13, 14, 18, 20, 26, 43, 50, 59, 64, 72, 89, 91, 96, 112, 115, 121],
  ...[168, 189, 238, 246, 249, 262, 276, 280, 286, 365, 373, 462, 10107, 10334, 11600, 14031],
  ...[17419, 40324, 51075],
];
const LABELS = [
  null,
  'RetryableWriteError',
  'TransientTransactionError',
  'NoWritesPerformed',
  'ResumableChangeStreamError',
];
/** Which of the calls that an operation makes are answered with an error, and when; with every label? */
const WAYS = [
  {
    name: 'the first, not carried out',
    at: (call: number) => call === 1,
    carriedOut: false,
    always: true,
  },
  {
    name: 'the first, carried out',
    at: (call: number) => call === 1,
    carriedOut: true,
    always: true,
  },
  { name: 'the second', at: (call: number) => call === 2, carriedOut: false, always: false },
  {
    name: 'the first two, carried out',
    at: (call: number) => call <= 2,
    carriedOut: true,
    always: false,
  },
  { name: 'all', at: () => true, carriedOut: false, always: false },
];

const ATTEMPT = 'a'.repeat(24);
const OTHER = 'b'.repeat(24);
const ACTION = 'c'.repeat(24);
const ids = [1, 2, 3, 4].map((n) => new ObjectId(String(n).repeat(24)));
const [NEW, BUSY, DONE, HELD] = ids as [ObjectId, ObjectId, ObjectId, ObjectId];
const KNOWN = new Set([...ids.map(String), ATTEMPT, OTHER, ACTION]);
const fence: Fence = { id: BUSY, attempt: ATTEMPT, host: EB3 };
const considering: Fence = { id: HELD, attempt: OTHER, host: EB3 };
const seenNew: Seen = { id: NEW, number: 1, state: null, host: null, time: null, attempt: null };
const seenDone: Seen = { ...seenNew, id: DONE, number: 3, state: 'done', host: EB3 };
const done = { id: DONE, attempt: OTHER, host: EB3 };
const outcome: StoredOutcome = {
  ...{ outcome: 'failed', counted: true, reason: 'r', traceback: null, fingerprint: 'f' },
  ...{ cause: null, plugin: null, seconds: 1, peakMemoryBytes: 1, bytes: 1, chunks: 1 },
  ...{ dropped: [], products: [], versions: {} },
};
const about = { run: 1, host: null, item: null };
const LATER = new Date(NOW.getTime() + 60_000);

const RUNS: RunsOfCalls = {
  ...{ busy: fence, considering, waiting: seenNew, done: seenDone, doneBy: done, now: NOW },
  held: { ...seenNew, id: HELD, state: 'considering', host: EB3, attempt: OTHER },
};

/** Each operation of the store that the program calls, once. */
const OPERATIONS: Record<string, (store: Store) => Promise<unknown>> = {
  ...runCalls(RUNS),
  'runs.conclude a failure': ({ runs }) =>
    runs.conclude(fence, { kind: 'failed', reason: 'r', failures: 1, delaySeconds: 60 }),
  'hosts.write': ({ hosts }) => hosts.write(status),
  'hosts.take': ({ hosts }) => hosts.take(status, null),
  'hosts.named': ({ hosts }) => hosts.named(EB3),
  'hosts.readMark': ({ hosts }) => hosts.readMark(),
  'hosts.mark': ({ hosts }) => hosts.mark('m'),
  'ebMonitor.writers': ({ ebMonitor }) => ebMonitor.writers(EB3, 60),
  'adoption.move': ({ adoption }) => adoption.move(EB4, EB3),
  'hosts.all': ({ hosts }) => hosts.all(),
  'ebMonitor.newest': ({ ebMonitor }) => ebMonitor.newest(EB3),
  'ebMonitor.alive': ({ ebMonitor }) => ebMonitor.alive([EB3], 60),
  'attempts.begin': ({ attempts }) =>
    attempts.begin({
      ...{ attempt: OTHER, run: 1, host: EB3, mode: 'm', failures: 0, plan: null },
    }),
  'attempts.plan': ({ attempts }) => attempts.plan(ATTEMPT, { a: 1 }),
  'attempts.end': ({ attempts }) => attempts.end(ATTEMPT, outcome),
  'attempts.get': ({ attempts }) => attempts.get(ATTEMPT),
  'attempts.ofRun': ({ attempts }) => attempts.ofRun(2, 5),
  'attempts.unfinished': ({ attempts }) => attempts.unfinished(EB3),
  'attempts.endedOn': ({ attempts }) => attempts.endedOn(EB3, new Date(0), 5),
  'attempts.endedBetween': ({ attempts }) => attempts.endedBetween(new Date(0), LATER),
  'attempts.successesElsewhere': ({ attempts }) => attempts.successesElsewhere(EB3, new Date(0)),
  'attempts.failureGroups': ({ attempts }) => attempts.failureGroups(new Date(0), 5),
  'attempts.failures': ({ attempts }) => attempts.failures({ since: new Date(0) }),
  'daqLog.write': ({ daqLog }) => daqLog.write({ host: EB3, priority: 'info', message: 'm' }),
  'rates.ofRun': ({ rates }) => rates.ofRun(1),
  'rates.anySince': ({ rates }) => rates.anySince(new Date(0)),
  'hostTargets.document': ({ hostTargets }) => hostTargets.document(),
  'onlineMonitor.some': ({ onlineMonitor }) => onlineMonitor.some(1),
  'onlineMonitor.remove': ({ onlineMonitor }) => onlineMonitor.remove([NEW]),
  'silentHosts.withHeartbeatSince': ({ silentHosts }) =>
    silentHosts.withHeartbeatSince([EB3], new Date(0)),
  'silentHosts.newest': ({ silentHosts }) => silentHosts.newest(EB4),
  'deletions.request': ({ deletions }) => deletions.request({ attempt: OTHER, run: 3, host: EB3 }),
  'deletions.note': ({ deletions }) => deletions.note(ATTEMPT, 'p'),
  'deletions.refuse': ({ deletions }) => deletions.refuse(ATTEMPT, 'c'),
  'deletions.done': ({ deletions }) => deletions.done(ATTEMPT),
  'deletions.unfinished': ({ deletions }) => deletions.unfinished(EB3),
  'debts.open': ({ debts }) => debts.open({ since: new Date(0), limit: 5 }),
  'debts.offered': ({ debts }) => debts.offered(EB3, 5),
  'debts.runs': ({ debts }) => debts.runs([3]),
  'debts.run': ({ debts }) => debts.run(DONE),
  'debts.note': ({ debts }) => debts.note(ATTEMPT, { tries: 1 }),
  'debts.claim': ({ debts }) => debts.claim(seenDone, { attempt: ATTEMPT, host: EB3 }),
  'debts.giveBack': ({ debts }) => debts.giveBack(done),
  'actions.request': ({ actions }) =>
    actions.request({
      ...{
        id: OTHER,
        kind: 'retry',
        by: 'anna',
        via: 'command',
        reason: 'r',
        hours: null,
        ...about,
      },
      ...{ saw: '', before: null, awaits: null },
    }),
  'actions.seen': ({ actions }) => actions.seen(ACTION, EB3),
  'actions.done': ({ actions }) => actions.done(ACTION, { message: 'm' }),
  'actions.refuse': ({ actions }) => actions.refuse(ACTION, 'why'),
  'actions.get': ({ actions }) => actions.get(ACTION),
  'actions.list': ({ actions }) => actions.list({ limit: 5 }),
  'actions.open': ({ actions }) => actions.open(),
  'actions.standing': ({ actions }) => actions.standing(),
  'maintenance.endingAfter': ({ maintenance }) => maintenance.endingAfter(NOW),
  'overview.recent': ({ overview }) => overview.recent(5),
  'overview.working': ({ overview }) => overview.working(),
  serverTime: (store) => store.serverTime(),
  ping: (store) => store.ping(),
};

const COLLECTIONS = [
  ...['runs', 'bootstrax', 'bootstrax_attempts', 'bootstrax_deletions', 'bootstrax_actions'],
  ...['log', 'online_monitor'],
];

async function filled(): Promise<MemoryDatabase> {
  const database = createDatabase(() => NOW.getTime());
  const run = { start: NOW, end: NOW, mode: 'm', detectors: ['tpc'], tags: [], status: null };
  const live = { type: 'live', host: 'daq', location: '/live' };
  const old = { type: 'records', host: EB3, location: '/old', meta: {} };
  await database.runs.insertMany([
    { _id: NEW, number: 1, ...run, data: [live] },
    {
      ...{ _id: BUSY, number: 2, ...run, data: [live, old] },
      bootstrax: { state: 'busy', attempt: ATTEMPT, host: EB3, time: NOW },
    },
    {
      ...{ _id: DONE, number: 3, ...run, data: [live, old] },
      bootstrax: { state: 'done', host: EB3, last_attempt: OTHER },
    },
    {
      ...{ _id: HELD, number: 4, ...run, data: [live], tags: [{ name: 'hold-processing' }] },
      bootstrax: { state: 'considering', attempt: OTHER, host: EB3, time: NOW },
    },
  ]);
  await database.attempts.insertOne({ _id: ATTEMPT, run: 2, host: EB3, started: NOW, ended: null });
  await database
    .collection('bootstrax_deletions')
    .insertOne({ _id: ATTEMPT, run: 3, host: EB3, state: 'checking', requested: NOW });
  await database.collection('bootstrax_actions').insertOne({
    ...{
      _id: ACTION,
      kind: 'drain',
      by: 'anna',
      via: 'command',
      reason: 'r',
      hours: null,
      run: null,
    },
    ...{ host: EB3, item: null, saw: '', before: null, awaits: EB3, state: 'requested' },
    requested: NOW,
  });
  await database.collection('online_monitor').insertOne({ _id: NEW, number: 1 });
  return database;
}

/** All that is stored; of ids that are drawn by lot only that they are there. */
function stored(database: MemoryDatabase): string {
  const all = COLLECTIONS.map((name) => [...database.collection(name).all()]);
  return JSON.stringify(all).replace(/"([0-9a-f]{24})"/g, (quoted, id: string) =>
    KNOWN.has(id) ? quoted : '"drawn"',
  );
}

const errorOf = (code: number, label: string | null) =>
  new MongoServerError({
    ...{ ok: 0, code, errmsg: `no ${code}` },
    errorLabels: label === null ? [] : [label],
  });

/** An honest server does not carry out what it says it refuses. */
function mayBeCarriedOut(code: number, label: string | null): boolean {
  return toStoreError(errorOf(code, label), 'x', 'runs').uncertain;
}

describe('an error with any code and any label', () => {
  it.each(Object.entries(OPERATIONS))(
    'in answer to %s loses and doubles nothing, and is no mistake of ours',
    async (_, operation) => {
      const [untouched, once] = [await filled(), await filled()];
      const without = stored(untouched);
      const answer = JSON.stringify(await operation(openStore(once)));
      const after = stored(once);
      let database = untouched;
      for (const code of CODES) {
        for (const label of LABELS) {
          for (const { name, at, carriedOut, always } of WAYS) {
            if (carriedOut && !mayBeCarriedOut(code, label)) continue;
            if (label !== null && !always) continue;
            if (stored(database) !== without) database = await filled();
            let calls = 0;
            const store = openStore(database, {
              call: async (_operation, carryOut) => {
                if (!at(++calls)) return carryOut();
                if (carriedOut) await carryOut();
                throw errorOf(code, label);
              },
            });
            const story = `code ${code}, label ${String(label)}, ${name}`;
            try {
              const given = JSON.stringify(await operation(store));
              // Asked of the library a hundred thousand times it would take half of the time.
              if (given !== answer) expect(given, story).toBe(answer);
              if (after !== without) expect(stored(database), story).toBe(after);
            } catch (error) {
              if (!(error instanceof StoreError)) throw error;
              if (error.kind === 'refused') throw error;
              const now = stored(database);
              if (now !== without) expect(now, story).toBe(after);
            }
          }
        }
      }
    },
  );
});

describe('what a server says', () => {
  it.each([
    [365, null, 'unclear'],
    [462, null, 'unclear'],
    [1, null, 'unclear'],
    [2, null, 'unclear'],
    [365, 'RetryableWriteError', 'unreachable'],
    [121, 'TransientTransactionError', 'unreachable'],
    [50, null, 'unreachable'],
    [13, null, 'unauthorized'],
    [18, 'RetryableWriteError', 'unauthorized'],
    [59, null, 'unsupported'],
    [40324, null, 'unsupported'],
    [10334, null, 'unfit'],
    [17419, null, 'unfit'],
    [121, null, 'unfit'],
    [11000, null, 'unfit'],
  ] as const)('with code %j and label %j: %s', (code, label, kind) => {
    expect(toStoreError(errorOf(code, label), 'x', 'runs').kind).toBe(kind);
  });

  it('of a write that it has not begun leaves no doubt', () => {
    const { kind, uncertain, transient } = toStoreError(
      errorOf(365, 'NoWritesPerformed'),
      'x',
      'runs',
    );
    expect({ kind, uncertain, transient }).toEqual({
      kind: 'unclear',
      uncertain: false,
      transient: true,
    });
  });

  it('is cut if it quotes a whole document', () => {
    const error = new MongoServerError({ errmsg: 'x'.repeat(1e6), code: 1 });
    expect(toStoreError(error, 'x', 'runs').message.length).toBeLessThan(3000);
  });
});
