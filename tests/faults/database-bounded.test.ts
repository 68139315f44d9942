import { ObjectId } from 'mongodb';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { openStore } from '../../src/database/open.ts';
import type { ActionRequest } from '../../src/features/actions/action.port.ts';
import type { StoredAlarm } from '../../src/features/alarms/alarm.pure.ts';
import type { DeletionFound } from '../../src/features/deletion/deletion.port.ts';
import type { HostHeartbeat, HostStatus } from '../../src/host/host.port.ts';
import { StoreError } from '../../src/infra/mongo/store-error.ts';
import type { Store } from '../../src/ports/store.ts';
import type { StoredOutcome } from '../../src/retry/attempt-history.port.ts';
import type { DataRegistration, Fence } from '../../src/run/run.port.ts';
import type { Seen } from '../../src/run/run-document.port.ts';
import { PLAN } from '../integration/database/contract/run-documents.ts';
import { holderOf } from '../support/holder.ts';
import { Lab, until } from '../support/lab.ts';
import { Proxy } from '../support/proxy.ts';
import { runCalls, type RunsOfCalls } from '../support/run-calls.ts';

const STATUS: HostStatus = { host: 'h', state: 'idle', holder: holderOf('h'), extras: {} };
const CALL_SECONDS = 0.5;
/** A compare-and-set reads before it decides, and no try begins after its time is up. */
const LIMIT_SECONDS = 8 * CALL_SECONDS;

const NOW = new Date('2026-01-01T00:00:00Z');
const FENCE: Fence = { id: new ObjectId(), attempt: 'a'.repeat(24), host: 'h' };
const SEEN: Seen = { id: FENCE.id, number: 1, state: null, host: null, time: null, attempt: null };
const LATER = new Date(NOW.getTime() + 60_000);
const DONE: Seen = { ...SEEN, state: 'done', host: 'h', time: NOW };
const HELD = { attempt: FENCE.attempt, host: 'h', time: NOW };
const PRODUCT: DataRegistration = {
  type: 'peaks',
  location: '/data/000001-peaks-abcdefghij',
  lineage: {},
};
const FOUND: DeletionFound = {
  folder: '/live/000001',
  location: '/live',
  vouchedBy: [],
  how: 'strax',
  files: 1,
  bytes: 1,
};
const ALARM: StoredAlarm = {
  ...{ key: 'k', kind: 'live_disk', run: null, host: null, what: 'w', todo: 't', since: null },
  ...{ open: true, episode: 1, opened: NOW, over: null, told: {} },
};
const ACTION: ActionRequest = {
  ...{ id: FENCE.attempt, kind: 'hold', run: 1, host: null, item: null, by: 'u' },
  ...{ via: 'command', reason: 'r', saw: 'new', hours: null, before: null, awaits: null },
};
/** The server's clock was asked once, and the answer is good for a minute. */
const KNOWN_FOR_A_MINUTE = ['serverTime', 'silentHosts.time'];

const RUNS: RunsOfCalls = {
  ...{ busy: FENCE, considering: FENCE, waiting: SEEN, held: SEEN, done: DONE, doneBy: FENCE },
  now: NOW,
};

/** Every method of the store but `watch`, by name. */
const CALLS: Record<string, (store: Store) => Promise<unknown>> = {
  ...runCalls(RUNS),
  'hosts.write': ({ hosts }) => hosts.write(STATUS),
  'hosts.take': ({ hosts }) => hosts.take(STATUS, null),
  'hosts.named': ({ hosts }) => hosts.named('h'),
  'hosts.readMark': ({ hosts }) => hosts.readMark(),
  'hosts.mark': ({ hosts }) => hosts.mark('m'),
  'hosts.all': ({ hosts }) => hosts.all(),
  'adoption.move': ({ adoption }) => adoption.move('h', 'g'),
  hostsCollectionId: (store) => store.hostsCollectionId(),
  'ebMonitor.write': ({ ebMonitor }) => ebMonitor.write({ host: 'h' } as HostHeartbeat),
  'ebMonitor.releaseHost': ({ ebMonitor }) =>
    ebMonitor.releaseHost({ host: 'h', targets: ['peaks'], max_cores: 1, max_messages: 1 }),
  'ebMonitor.writers': ({ ebMonitor }) => ebMonitor.writers('h', 60),
  'ebMonitor.newest': ({ ebMonitor }) => ebMonitor.newest('h'),
  'ebMonitor.alive': ({ ebMonitor }) => ebMonitor.alive(['h'], 60),
  'daqLog.write': ({ daqLog }) => daqLog.write({ host: 'h', priority: 'info', message: 'm' }),
  'attempts.begin': ({ attempts }) =>
    attempts.begin({
      attempt: FENCE.attempt,
      run: 1,
      host: 'h',
      mode: null,
      failures: 0,
      plan: null,
    }),
  'attempts.plan': ({ attempts }) => attempts.plan(FENCE.attempt, {}),
  'attempts.end': ({ attempts }) => attempts.end(FENCE.attempt, {} as StoredOutcome),
  'attempts.get': ({ attempts }) => attempts.get(FENCE.attempt),
  'attempts.ofRun': ({ attempts }) => attempts.ofRun(1, 5),
  'attempts.unfinished': ({ attempts }) => attempts.unfinished('h'),
  'attempts.endedBetween': ({ attempts }) => attempts.endedBetween(NOW, LATER),
  'attempts.endedOn': ({ attempts }) => attempts.endedOn('h', NOW, 5),
  'attempts.successesElsewhere': ({ attempts }) => attempts.successesElsewhere('h', NOW),
  'attempts.failureGroups': ({ attempts }) => attempts.failureGroups(NOW, 5),
  'attempts.failures': ({ attempts }) => attempts.failures({ since: NOW }),
  'rates.ofRun': ({ rates }) => rates.ofRun(1),
  'rates.anySince': ({ rates }) => rates.anySince(NOW),
  'hostTargets.document': ({ hostTargets }) => hostTargets.document(),
  'onlineMonitor.some': ({ onlineMonitor }) => onlineMonitor.some(1),
  'onlineMonitor.remove': ({ onlineMonitor }) => onlineMonitor.remove([FENCE.id]),
  'silentHosts.time': ({ silentHosts }) => silentHosts.time(),
  'silentHosts.withHeartbeatSince': ({ silentHosts }) => silentHosts.withHeartbeatSince(['h'], NOW),
  'silentHosts.newest': ({ silentHosts }) => silentHosts.newest('h'),
  'silentHosts.markDead': ({ silentHosts }) =>
    silentHosts.markDead({ id: FENCE.id, host: 'h', time: NOW, state: 'idle' }),
  'overview.recent': ({ overview }) => overview.recent(5),
  'overview.highest': ({ overview }) => overview.highest(),
  'overview.numbered': ({ overview }) => overview.numbered(1, 200),
  'overview.ofNumbers': ({ overview }) => overview.ofNumbers([1, 2]),
  'overview.byIds': ({ overview }) => overview.byIds([FENCE.id]),
  'overview.working': ({ overview }) => overview.working(),
  'overview.untouched': ({ overview }) => overview.untouched(5),
  'overview.failedSince': ({ overview }) => overview.failedSince(NOW, 5),
  'overview.withoutRetry': ({ overview }) => overview.withoutRetry(5),
  'overview.doneWithoutStatus': ({ overview }) => overview.doneWithoutStatus(NOW, 5),
  'overview.begunSince': ({ overview }) => overview.begunSince(NOW, 5),
  'overview.list': ({ overview }) => overview.list({ condition: 'retrying', limit: 5 }),
  'overview.whole': ({ overview }) => overview.whole(1),
  'overview.causes': ({ overview }) => overview.causes([FENCE.attempt]),
  'overview.endedSince': ({ overview }) => overview.endedSince(NOW, 5),
  'overview.failuresSince': ({ overview }) => overview.failuresSince(NOW, 5),
  // More hosts than it asks about at a time.
  'overview.signs': ({ overview }) =>
    overview.signs(
      Array.from({ length: 25 }, (_, i) => `h${i}`),
      NOW,
      LATER,
      5,
    ),
  'overview.thinnedSigns': ({ overview }) => overview.thinnedSigns(['h'], NOW, LATER, 5),
  'hostHistory.write': ({ hostHistory }) => hostHistory.write({ host: 'h' } as HostHeartbeat),
  'overview.signsOf': ({ overview }) => overview.signsOf('h', NOW, LATER, 5),
  'deletions.request': ({ deletions }) =>
    deletions.request({ attempt: FENCE.attempt, run: 1, host: 'h' }),
  'deletions.begin': ({ deletions }) => deletions.begin(FENCE.attempt, FOUND),
  'deletions.note': ({ deletions }) => deletions.note(FENCE.attempt, 'waits'),
  'deletions.done': ({ deletions }) => deletions.done(FENCE.attempt),
  'deletions.refuse': ({ deletions }) => deletions.refuse(FENCE.attempt, 'a product is missing'),
  'deletions.get': ({ deletions }) => deletions.get(FENCE.attempt),
  'deletions.unfinished': ({ deletions }) => deletions.unfinished(null),
  'deletions.ofRun': ({ deletions }) => deletions.ofRun(1),
  'deletions.since': ({ deletions }) => deletions.since(NOW, 5),
  'alarms.raise': ({ alarms }) => alarms.raise(ALARM, 0),
  'alarms.clear': ({ alarms }) => alarms.clear(ALARM.key, 1),
  'alarms.told': ({ alarms }) => alarms.told(ALARM, 'mail', 'raised'),
  'alarms.open': ({ alarms }) => alarms.open(),
  'alarms.overSince': ({ alarms }) => alarms.overSince(NOW, 5),
  'alarms.byKeys': ({ alarms }) => alarms.byKeys(['k']),
  'alarms.receivers': ({ alarms }) => alarms.receivers(),
  'alarms.claim': ({ alarms }) => alarms.claim('mail', null, 'me', 60),
  'alarms.release': ({ alarms }) => alarms.release('mail', 1, { kind: 'sent', nextSeconds: 60 }),
  'maintenance.start': ({ maintenance }) =>
    maintenance.start({ host: null, seconds: 60, by: 'u', reason: 'r' }),
  'maintenance.end': ({ maintenance }) => maintenance.end('0'.repeat(24), 'u', NOW),
  'maintenance.endingAfter': ({ maintenance }) => maintenance.endingAfter(NOW),
  'debts.open': ({ debts }) => debts.open({ since: NOW, limit: 5 }),
  'debts.offered': ({ debts }) => debts.offered('h', 5),
  'debts.runs': ({ debts }) => debts.runs([1, 2]),
  'debts.run': ({ debts }) => debts.run(FENCE.id),
  'debts.note': ({ debts }) => debts.note(FENCE.attempt, { offered: true, by: 'u' }),
  'debts.claim': ({ debts }) => debts.claim(DONE, FENCE),
  'debts.renew': ({ debts }) => debts.renew(FENCE),
  'debts.renewWaiting': ({ debts }) => debts.renewWaiting([FENCE]),
  'debts.byIds': ({ debts }) => debts.byIds([FENCE.id]),
  'debts.pay': ({ debts }) => debts.pay(FENCE, { register: [PRODUCT], plan: PLAN }),
  'debts.giveBack': ({ debts }) => debts.giveBack(FENCE),
  'debts.release': ({ debts }) => debts.release(DONE, HELD),
  'actions.request': ({ actions }) => actions.request(ACTION),
  'actions.awaitHost': ({ actions }) =>
    actions.awaitHost(ACTION.id, { host: 'h', attempt: FENCE.attempt, message: 'm', after: null }),
  'actions.seen': ({ actions }) => actions.seen(ACTION.id, 'h'),
  'actions.done': ({ actions }) => actions.done(ACTION.id, { message: 'm' }),
  'actions.refuse': ({ actions }) => actions.refuse(ACTION.id, 'why'),
  'actions.get': ({ actions }) => actions.get(ACTION.id),
  'actions.list': ({ actions }) => actions.list({ limit: 5 }),
  'actions.open': ({ actions }) => actions.open(),
  'actions.standing': ({ actions }) => actions.standing(),
  'actions.acknowledge': ({ actions }) =>
    actions.acknowledge(
      { item: 'i', action: ACTION.id, occurrence: 'o', by: 'u', reason: 'r', hours: 1 },
      null,
    ),
  ping: (store) => store.ping(),
  serverTime: (store) => store.serverTime(),
  missingIndexes: (store) => store.missingIndexes(),
  ensureIndexes: (store) => store.ensureIndexes(),
  heartbeatsBound: (store) => store.heartbeatsBound(),
};
const WATCHES = ['runs.watch', 'rates.watch', 'actions.watch'];

let lab: Lab;
let proxy: Proxy;
let store: Store;
beforeAll(async () => {
  lab = await Lab.start({ warmPython: false });
});
afterAll(() => lab.end());
beforeEach(async () => {
  proxy = await Proxy.to(lab.url);
  store = openStore(
    {
      runsUrl: proxy.url,
      daqUrl: null,
      runsDb: lab.runsDb,
      daqDb: lab.daqDb,
      runsCredentials: null,
      daqCredentials: null,
      manage: true,
      callTimeoutSeconds: CALL_SECONDS,
    },
    () => undefined,
  );
});
afterEach(async () => {
  await store.close();
  await proxy.close();
});

/** What became of a call, and how long it took, seconds. */
async function outcomeOf(call: Promise<unknown>): Promise<{ error: unknown; seconds: number }> {
  const begun = performance.now();
  const error = await call.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  return { error, seconds: (performance.now() - begun) / 1000 };
}

describe('a server that has fallen silent without closing a connection', () => {
  test('the list of calls below is complete', () => {
    const names = Object.entries(store).flatMap(([name, part]) =>
      typeof part === 'function' ? [name] : Object.keys(part as object).map((k) => `${name}.${k}`),
    );
    expect(names.filter((name) => name !== 'close').sort()).toEqual(
      [...Object.keys(CALLS), ...WATCHES].sort(),
    );
  });

  test.each([
    ['before the first connection', false],
    ['on open connections', true],
  ])('every call ends in bounded time, naming database and operation: %s', async (_name, open) => {
    if (open) {
      await Promise.all(Array.from({ length: 10 }, () => store.runs.unsettled()));
      // So that calls that need the time get on to their own questions.
      await store.serverTime();
    }
    proxy.mode = 'silent';
    const outcomes = await Promise.all(
      Object.entries(CALLS).map(async ([name, call]) => ({
        name,
        ...(await outcomeOf(call(store))),
      })),
    );
    for (const { name, error, seconds } of outcomes) {
      if (open && KNOWN_FOR_A_MINUTE.includes(name)) {
        expect(error, name).toBeNull();
        continue;
      }
      expect(error, name).toBeInstanceOf(StoreError);
      const { kind, message } = error as StoreError;
      expect(kind, `${name}: ${message}`).toBe('unreachable');
      expect(message, name).toMatch(/^(\w+ )+\((runs|daq) database\): ./);
      expect(seconds, `${name}: ${message}`).toBeLessThan(LIMIT_SECONDS);
    }
  });

  test('closing ends too', async () => {
    await store.ping();
    const call = outcomeOf(store.runs.unsettled());
    proxy.mode = 'silent';
    const { error, seconds } = await outcomeOf(store.close());
    expect(error).toBeNull();
    expect(seconds).toBeLessThan(LIMIT_SECONDS);
    await call;
  });

  test('watching ends with its signal, and afterwards calls work again', async () => {
    const ending = new AbortController();
    const seen: unknown[] = [];
    const watching = store.runs.watch((hint) => seen.push(hint), ending.signal);
    await until('the watch to stand', () => seen.length > 0);
    proxy.mode = 'silent';
    await outcomeOf(store.runs.unsettled());
    ending.abort();
    const { error, seconds } = await outcomeOf(watching);
    expect(error).toBeNull();
    expect(seconds).toBeLessThan(LIMIT_SECONDS);
    proxy.mode = 'pass';
    proxy.drop();
    await until('calls to work again', async () => (await outcomeOf(store.ping())).error === null);
  });

  test('connections that went half-open are replaced, and a watch on one of them goes on', async () => {
    const ending = new AbortController();
    let gaps = 0;
    const seen: number[] = [];
    const watching = store.runs.watch((hint) => {
      if (hint === null) gaps++;
      else if (hint.number !== null) seen.push(hint.number);
    }, ending.signal);
    await until('the watch to stand', () => gaps > 0);
    proxy.freeze();
    await until('calls to work again', async () => (await outcomeOf(store.ping())).error === null);
    await lab.insertRuns({ number: 4242, start: new Date() });
    await until('the watch to tell of the new run', () => seen.includes(4242));
    ending.abort();
    await watching;
  });
});
