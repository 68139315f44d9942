import { MongoClient } from 'mongodb';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { CHECKS } from '../../../src/database/contract/checks-in-order.ts';
import { runContract } from '../../../src/database/contract/run-contract.ts';
import { Scratch, scratchName } from '../../../src/database/contract/scratch.ts';
import { askPrivileges, neededPrivileges } from '../../../src/database/privileges.ts';
import type { Store } from '../../../src/ports/store.ts';
import { Proxy } from '../../support/proxy.ts';
import { onEachServer, ownServer, type TestServer } from './server.ts';

const NEVER = new AbortController().signal;
const NOTHING = Promise.resolve();
const at = (url: string, callTimeoutSeconds = 20) => ({
  ...{ url, credentials: null, callTimeoutSeconds },
});

/** Names of the scratch databases on a server. */
async function scratches(url: string): Promise<string[]> {
  const client = new MongoClient(url);
  try {
    const { databases } = await client.db('admin').admin().listDatabases({ nameOnly: true });
    return databases
      .map(({ name }) => name)
      .filter((name) => name.startsWith('bootstrax_contract_'));
  } finally {
    await client.close();
  }
}

onEachServer('the contract with a server', ({ url }) => {
  it('is kept, and leaves nothing behind', async () => {
    const report = await runContract(at(url()), NEVER);
    const amiss = report.checks.filter(({ state }) => state !== 'ok');
    expect(amiss).toEqual([]);
    expect(report.checks.map(({ check }) => check)).toEqual(CHECKS.map(({ name }) => name));
    expect(report).toMatchObject({ left: null });
    expect(report.database).toMatch(/^bootstrax_contract_[0-9a-f]{16}$/);
    expect(await scratches(url())).toEqual([]);
  });

  it('is not tried in a database that is there already, which stays as it is', async () => {
    const name = scratchName();
    const client = await MongoClient.connect(url());
    const runs = client.db(name).collection('runs');
    await runs.insertOne({ number: 7 });
    await expect(runContract(at(url()), NEVER, name)).rejects.toThrow(
      `there is a database ${name} already: it is left alone`,
    );
    expect(await runs.find({}, { projection: { _id: 0 } }).toArray()).toEqual([{ number: 7 }]);
    expect(await client.db(name).collections()).toHaveLength(1);
    await client.db(name).dropDatabase();
    await client.close();
  });

  it('a person ends it: what is left is not tried, and the database goes', async () => {
    const ends = new AbortController();
    const running = runContract(at(url()), ends.signal);
    ends.abort();
    const { checks, left } = await running;
    expect(left).toBeNull();
    expect(checks).toHaveLength(CHECKS.length);
    expect(checks.at(-1)).toMatchObject({ state: 'skipped', says: 'ended by a person' });
    expect(await scratches(url())).toEqual([]);
  });
});

type Lie = (store: Store) => Partial<{ [K in keyof Store]: Partial<Store[K]> }>;

const HOUR_MS = 3_600_000;

describe('a server that does not keep it', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await ownServer();
  });
  afterAll(() => server.stop());

  it.each<[string, string | RegExp, Lie]>([
    ['claim', '4 of 4 clients', () => ({ runs: { claim: () => Promise.resolve('claimed') } })],
    [
      'claim as seen',
      'a held run was claimed again',
      ({ runs }) => ({
        runs: {
          claim: async (seen, owner) => {
            await runs.claim(seen, owner);
            return 'claimed';
          },
        },
      }),
    ],
    ['fence', 'landed', () => ({ runs: { heartbeat: () => Promise.resolve('landed') } })],
    [
      'conclusion',
      'was concluded twice',
      ({ runs }) => ({
        runs: {
          conclude: async (...all) => {
            await runs.conclude(...all);
            return { kind: 'landed', statusLeft: null };
          },
        },
      }),
    ],
    ['new runs', 'is not found', () => ({ runs: { newCandidates: () => Promise.resolve([]) } })],
    ['retry', 'is not found', () => ({ runs: { retryDue: () => Promise.resolve([]) } })],
    [
      'clock',
      // A moment passes between the two questions.
      /\$\$NOW is -3(600|59\d)\.\d s off/,
      (store) => ({
        serverTime: async () => new Date((await store.serverTime()).getTime() + HOUR_MS),
      }),
    ],
    ['online monitor', 'documents stayed', () => ({ onlineMonitor: { remove: () => NOTHING } })],
    [
      'history and hosts',
      'has more than one document',
      ({ hosts }) => ({
        hosts: { all: async () => (await hosts.all()).flatMap((host) => [host, host]) },
      }),
    ],
  ])('%s', async (name, says, lie) => {
    const scratch = new Scratch(at(server.url), scratchName());
    await scratch.begin();
    try {
      const real = scratch.store();
      await real.ensureIndexes();
      const lies = lie(real) as Record<string, object>;
      const store = { ...real } as unknown as Record<string, object>;
      for (const [part, lying] of Object.entries(lies)) {
        store[part] = typeof lying === 'function' ? lying : { ...store[part], ...lying };
      }
      const lied = store as unknown as Store;
      scratch.store = () => lied;
      const check = CHECKS.find((each) => each.name === name)!;
      await expect(check.look({ scratch, store: lied })).rejects.toThrow(says);
    } finally {
      expect(await scratch.end()).toBeNull();
    }
  });

  it('without change streams: told, but no problem', async () => {
    const client = await MongoClient.connect(server.url);
    const fail = (mode: 'alwaysOn' | 'off') =>
      client.db('admin').command({
        configureFailPoint: 'failCommand',
        mode,
        data: { failCommands: ['aggregate'], appName: 'bootstrax', errorCode: 40573 },
      });
    await fail('alwaysOn');
    const { checks } = await runContract(at(server.url), NEVER).finally(() => fail('off'));
    await client.close();
    const streams = checks.filter(({ check }) => check.startsWith('change stream'));
    expect(streams.map(({ state }) => state)).toEqual(['warn', 'warn']);
    expect(checks.find(({ check }) => check === 'claim')!.state).toBe('ok');
  });
});

describe('over a bad network', () => {
  let server: TestServer;
  let proxy: Proxy;
  beforeAll(async () => {
    server = await ownServer();
  });
  beforeEach(async () => {
    proxy = await Proxy.to(server.url);
  });
  afterEach(async () => {
    await proxy.close();
  });
  afterAll(() => server.stop());

  it.each(['cut', 'hang'] as const)(
    'an answer that is lost (%s) does not make a promise broken, nor is the database left',
    async (then) => {
      const lost = proxy.loseAnswers(
        (command) => 'update' in command && String(command['text']).includes('considering'),
        3,
        then,
      );
      const report = await runContract(at(proxy.url, 3), NEVER);
      expect(lost.happened).toBe(3);
      expect(report.checks.filter(({ state }) => state === 'problem')).toEqual([]);
      expect(report.left).toBeNull();
      expect(await scratches(server.url)).toEqual([]);
    },
  );

  it('a server that falls silent ends it soon; it says so, and what it could not remove', async () => {
    let silenced = false;
    const running = runContract(at(proxy.url, 2), NEVER);
    const silence = setInterval(() => {
      void scratches(server.url).then((names) => {
        if (names.length === 0 || silenced) return;
        silenced = true;
        proxy.mode = 'silent';
      });
    }, 20);
    const begun = performance.now();
    const { checks, left, database } = await running;
    clearInterval(silence);
    expect(performance.now() - begun).toBeLessThan(90_000);
    expect(checks.some(({ state }) => state === 'problem')).toBe(true);
    expect(checks.at(-1)).toMatchObject({
      state: 'skipped',
      says: 'the server does not answer any more',
    });
    expect(left).toContain('dropping the scratch database');
    expect(await scratches(server.url)).toEqual([database]);
    const client = await MongoClient.connect(server.url);
    await client.db(database).dropDatabase();
    await client.close();
  });

  it('a server that cannot be reached at all is an error, not a report', async () => {
    proxy.mode = 'silent';
    await expect(runContract(at(proxy.url, 1), NEVER)).rejects.toMatchObject({
      name: 'StoreError',
      kind: 'unreachable',
    });
  });

  it('connections that are dropped in the middle do not leave the database behind', async () => {
    const drops = setInterval(() => proxy.drop(), 700);
    const { left } = await runContract(at(proxy.url, 5), NEVER).finally(() => clearInterval(drops));
    expect(left).toBeNull();
    expect(await scratches(server.url)).toEqual([]);
  });

  it('asks what the present user may do', async () => {
    const names = { runs: 'xenonnt', daq: 'daq' };
    const granted = await askPrivileges(at(server.url), neededPrivileges({ manage: true }), names);
    expect(granted).toEqual({ kind: 'nobody' });
  });
});
