import { ObjectId } from 'mongodb';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { StoreError } from '../../src/store/errors.ts';
import { openStore } from '../../src/store/open.ts';
import type { AttemptOutcome, Fence, LifeSign, Seen, Store } from '../../src/store/types.ts';
import { Lab, until } from '../support/lab.ts';
import { Proxy } from '../support/proxy.ts';

const CALL_SECONDS = 0.5;
/** A compare-and-set reads before it decides, and no try begins after its time is up. */
const LIMIT_SECONDS = 8 * CALL_SECONDS;

const NOW = new Date('2026-01-01T00:00:00Z');
const FENCE: Fence = { id: new ObjectId(), attempt: 'a'.repeat(24), host: 'h' };
const SEEN: Seen = { id: FENCE.id, number: 1, state: null, host: null, time: null, attempt: null };
const PLAN = {
  targets: [],
  post_processing: [],
  dropped: [],
  cores: 1,
  max_messages: 1,
  timeout: 1,
  rung: 0,
};
const DUE = { giveUpAfter: 10, limit: 5 };

/** Every method of the store but `watch`, by name. */
const CALLS: Record<string, (store: Store) => Promise<unknown>> = {
  'runs.newCandidates': ({ runs }) => runs.newCandidates({ limit: 5 }),
  'runs.retryDue': ({ runs }) => runs.retryDue({ now: NOW, ...DUE }),
  'runs.overdue': ({ runs }) => runs.overdue({ before: NOW, ...DUE }),
  'runs.ownRuns': ({ runs }) => runs.ownRuns('h'),
  'runs.unsettled': ({ runs }) => runs.unsettled(),
  'runs.waitingTagged': ({ runs }) => runs.waitingTagged('abandon', 5),
  'runs.doneUnfinished': ({ runs }) => runs.doneUnfinished({ since: NOW, tag: 't', limit: 5 }),
  'runs.byNumber': ({ runs }) => runs.byNumber(1),
  'runs.byId': ({ runs }) => runs.byId(FENCE.id),
  'runs.list': ({ runs }) => runs.list({ limit: 5 }),
  'runs.queueCounts': ({ runs }) => runs.queueCounts(NOW, 10),
  'runs.claim': ({ runs }) => runs.claim(SEEN, FENCE),
  'runs.markBusy': ({ runs }) => runs.markBusy(FENCE, PLAN),
  'runs.heartbeat': ({ runs }) => runs.heartbeat(FENCE, 'busy', null),
  'runs.registerData': ({ runs }) => runs.registerData(FENCE, []),
  'runs.unregisterData': ({ runs }) => runs.unregisterData(FENCE, ['/x']),
  'runs.withdrawData': ({ runs }) => runs.withdrawData(FENCE.id, 'h', ['/x']),
  'runs.conclude': ({ runs }) => runs.conclude(FENCE, { kind: 'done' }),
  'runs.settle': ({ runs }) => runs.settle(SEEN, 'h', { kind: 'abandoned', reason: null }),
  'runs.retry': ({ runs }) => runs.retry(SEEN, 'h', 0),
  'runs.mendStatus': ({ runs }) => runs.mendStatus(SEEN),
  'runs.hold': ({ runs }) => runs.hold(FENCE.id, 'u'),
  'runs.release': ({ runs }) => runs.release(FENCE.id),
  'hosts.write': ({ hosts }) => hosts.write({ host: 'h', state: 'idle', extras: {} }),
  'hosts.all': ({ hosts }) => hosts.all(),
  'ebMonitor.write': ({ ebMonitor }) => ebMonitor.write({ host: 'h' } as LifeSign),
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
  'attempts.end': ({ attempts }) => attempts.end(FENCE.attempt, {} as AttemptOutcome),
  'attempts.get': ({ attempts }) => attempts.get(FENCE.attempt),
  'attempts.ofRun': ({ attempts }) => attempts.ofRun(1, 5),
  'attempts.unfinished': ({ attempts }) => attempts.unfinished('h'),
  'attempts.endedOn': ({ attempts }) => attempts.endedOn('h', NOW, 5),
  'attempts.successesElsewhere': ({ attempts }) => attempts.successesElsewhere('h', NOW),
  'attempts.failureGroups': ({ attempts }) => attempts.failureGroups(NOW, 5),
  'attempts.failures': ({ attempts }) => attempts.failures({ since: NOW }),
  'rates.ofRun': ({ rates }) => rates.ofRun(1),
  'hostTargets.document': ({ hostTargets }) => hostTargets.document(),
  ping: (store) => store.ping(),
  serverTime: (store) => store.serverTime(),
  missingIndexes: (store) => store.missingIndexes(),
  ensureIndexes: (store) => store.ensureIndexes(),
};
const WATCHES = ['runs.watch', 'rates.watch'];

let lab: Lab;
let proxy: Proxy;
let store: Store;
beforeAll(async () => {
  lab = await Lab.start();
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
    }
    proxy.mode = 'silent';
    const outcomes = await Promise.all(
      Object.entries(CALLS).map(async ([name, call]) => ({
        name,
        ...(await outcomeOf(call(store))),
      })),
    );
    for (const { name, error, seconds } of outcomes) {
      // Its answer to the last question is good for a minute.
      if (name === 'serverTime' && error === null) continue;
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
