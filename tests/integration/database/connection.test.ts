import { createServer } from 'node:net';
import { MongoClient } from 'mongodb';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { openStore } from '../../../src/database/open.ts';
import type { StoreEvent, StoreOptions } from '../../../src/infra/mongo/connection.port.ts';
import { startEmbedded, stopEmbedded } from '../../../src/infra/mongo/embedded/embedded-server.ts';
import { Proxy } from '../../support/proxy.ts';
import {
  bootstrax,
  claimed,
  EB3,
  insert,
  newAttempt,
  runDocument,
  seen,
} from './contract/run-documents.ts';
import { ownServer, PYTHON, type ServerStore, type TestServer, testStore } from './server.ts';

const OPTIONS: StoreOptions = {
  runsUrl: '',
  daqUrl: null,
  runsDb: 'r',
  daqDb: 'd',
  runsCredentials: null,
  daqCredentials: null,
  manage: false,
  callTimeoutSeconds: 2,
};

async function failure(promise: Promise<unknown>): Promise<Error & { kind?: string }> {
  const error = await promise.then(
    () => null,
    (thrown: unknown) => thrown as Error,
  );
  expect(error).not.toBeNull();
  return error!;
}

const connection = (events: StoreEvent[]) => events.findLast(({ kind }) => kind === 'connection');

async function seconds(promise: Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await promise.catch(() => undefined);
  return (performance.now() - begun) / 1000;
}

let server: TestServer & { stateDir: string };

beforeAll(async () => {
  server = await ownServer();
});
afterAll(() => server.stop());

describe('connection', () => {
  it('waits for nothing at the opening, and works once the server is there', async () => {
    const probe = createServer();
    await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
    const { port } = probe.address() as { port: number };
    await new Promise((resolve) => probe.close(resolve));
    const url = `mongodb://127.0.0.1:${port}/`;
    const events: StoreEvent[] = [];
    const store = openStore({ ...OPTIONS, runsUrl: url }, (event) => events.push(event));
    const other = await ownServer();
    try {
      expect(await failure(store.ping())).toMatchObject({
        name: 'StoreError',
        kind: 'unreachable',
      });
      expect(await failure(store.runs.unsettled())).toMatchObject({ kind: 'unreachable' });
      expect(connection(events)).toMatchObject({ up: false });
      await stopEmbedded(other.stateDir);
      await startEmbedded({ python: PYTHON, stateDir: other.stateDir, port });
      await expect.poll(() => store.ping().then(() => 'up'), { timeout: 15_000 }).toBe('up');
      expect(await store.runs.unsettled()).toEqual([]);
      expect(connection(events)).toMatchObject({ up: true });
    } finally {
      await store.close();
      await other.stop();
    }
  });

  it('comes back after an orderly stop and start of the server', async () => {
    const other = await ownServer();
    const test = await testStore(other.url, { callTimeoutSeconds: 2 });
    try {
      await insert(test.store.runs, test.runsDb.collection('runs'), runDocument(1));
      for (let i = 0; i < 2; i++) {
        await stopEmbedded(other.stateDir);
        expect(await failure(test.store.ping())).toMatchObject({ kind: 'unreachable' });
        await startEmbedded({ python: PYTHON, stateDir: other.stateDir, port: null });
        await expect.poll(() => test.store.ping().then(() => 'up'), { timeout: 15_000 }).toBe('up');
        expect(await test.store.runs.byNumber(1)).toHaveLength(1);
      }
    } finally {
      await test.close();
      await other.stop();
    }
  });

  it('refuses addresses that contain credentials, without repeating them', async () => {
    const open = () =>
      openStore({ ...OPTIONS, runsUrl: 'mongodb://user:geheim@127.0.0.1:1/' }, () => undefined);
    expect(open).toThrow('credentials file');
    expect(open).not.toThrow('geheim');
    expect(() => openStore({ ...OPTIONS, runsUrl: 'nonsense' }, () => undefined)).toThrow(
      'address',
    );
    await Promise.resolve();
  });

  it('maps a refusal of the server', async () => {
    const test = await testStore(server.url);
    const outside = new MongoClient(server.url);
    try {
      await outside.db('admin').command({
        configureFailPoint: 'failCommand',
        mode: { times: 1 },
        data: { failCommands: ['find'], errorCode: 13, appName: 'bootstrax' },
      });
      expect(await failure(test.store.runs.unsettled())).toMatchObject({ kind: 'unauthorized' });
      await outside.db('admin').command({
        configureFailPoint: 'failCommand',
        mode: { times: 4 },
        data: { failCommands: ['find'], errorCode: 2, appName: 'bootstrax' },
      });
      expect(await failure(test.store.runs.unsettled())).toMatchObject({ kind: 'unclear' });
      // Asked again, it answers: a question may be repeated.
      expect(await test.store.runs.unsettled()).toEqual([]);
    } finally {
      await outside.close();
      await test.close();
    }
  });
});

describe('faults in between', () => {
  let proxy: Proxy;
  let test: ServerStore;

  beforeEach(async () => {
    proxy = await Proxy.to(server.url);
    test = await testStore(server.url);
    await test.store.close();
    const rest = test;
    const events: StoreEvent[] = [];
    const through = openStore(
      {
        ...OPTIONS,
        runsUrl: proxy.url,
        runsDb: rest.runsDb.databaseName,
        daqDb: rest.daqDb.databaseName,
      },
      (event) => events.push(event),
    );
    test = {
      ...rest,
      store: through,
      events,
      close: () => through.close().then(() => rest.close()),
    };
  });
  afterEach(async () => {
    proxy.mode = 'pass';
    await test.close();
    await proxy.close();
  });

  it('a silent server costs no more than the call time-out, and calls work again afterwards', async () => {
    await test.store.ping();
    proxy.mode = 'silent';
    expect(await seconds(test.store.ping())).toBeLessThan(3);
    const stuck = test.store.runs.unsettled();
    expect(await failure(stuck)).toMatchObject({ kind: 'unreachable' });
    proxy.mode = 'pass';
    await expect
      .poll(() => test.store.runs.unsettled(), { timeout: 20_000, interval: 500 })
      .toEqual([]);
  });

  it('reads repeat after a dropped connection', async () => {
    await test.store.ping();
    proxy.drop();
    expect(await test.store.runs.unsettled()).toEqual([]);
  });

  it('a claim whose answer was lost is recognised as ours', async () => {
    const runs = test.runsDb.collection('runs');
    const { insertedId } = await runs.insertOne(runDocument(1));
    const document = (await test.store.runs.byId(insertedId))!;
    const view = await seen(test.store.runs, document);
    const owner = { attempt: newAttempt(), host: EB3 };
    proxy.mode = 'mute';
    const claim = test.store.runs.claim(view, owner);
    // Landed on the server; now its answer is lost for good.
    await expect.poll(() => bootstrax(runs, document)).toMatchObject({ attempt: owner.attempt });
    proxy.mode = 'pass';
    proxy.drop();
    expect(await claim).toBe('claimed');
  });

  it('a conclusion whose answer was lost is recognised, and another is superseded', async () => {
    const runs = test.runsDb.collection('runs');
    const { insertedId } = await runs.insertOne(runDocument(1));
    const document = (await test.store.runs.byId(insertedId))!;
    const fence = await claimed(test.store.runs, document, { busy: true });
    proxy.mode = 'mute';
    const conclusion = test.store.runs.conclude(fence, { kind: 'done' });
    await expect.poll(() => bootstrax(runs, document)).toMatchObject({ state: 'done' });
    proxy.mode = 'pass';
    proxy.drop();
    expect(await conclusion).toEqual({ kind: 'landed', statusLeft: null });
    const again = await test.store.runs.conclude(
      { ...fence, attempt: newAttempt() },
      { kind: 'done' },
    );
    expect(again).toEqual({ kind: 'superseded' });
  });

  it('an uncounted event whose answer was lost is counted once', async () => {
    const runs = test.runsDb.collection('runs');
    const { insertedId } = await runs.insertOne(runDocument(1));
    const document = (await test.store.runs.byId(insertedId))!;
    const fence = await claimed(test.store.runs, document, { busy: true });
    proxy.mode = 'mute';
    const requeue = { kind: 'requeued', reason: 'r', delaySeconds: 5 } as const;
    const conclusion = test.store.runs.conclude(fence, requeue);
    await expect.poll(() => bootstrax(runs, document)).toMatchObject({ state: 'failed' });
    proxy.mode = 'pass';
    proxy.drop();
    expect(await conclusion).toMatchObject({ kind: 'landed' });
    expect(await bootstrax(runs, document)).toMatchObject({ uncounted: 1 });
  });

  it('a log message whose answer was lost is there once', async () => {
    const log = test.daqDb.collection('log');
    await test.store.ping();
    proxy.mode = 'mute';
    const written = test.store.daqLog.write({ host: EB3, priority: 'info', message: 'once' });
    await expect.poll(() => log.countDocuments({ message: 'once' })).toBe(1);
    proxy.mode = 'pass';
    proxy.drop();
    await written;
    expect(await log.countDocuments({ message: 'once' })).toBe(1);
  });
});
