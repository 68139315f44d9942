import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type Db, MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe } from 'vitest';

import { openStore } from '../../../src/database/open.ts';
import { splitUrl } from '../../../src/infra/config/connection.ts';
import type { StoreEvent, StoreOptions } from '../../../src/infra/mongo/connection.port.ts';
import { startEmbedded, stopEmbedded } from '../../../src/infra/mongo/embedded/embedded-server.ts';
import type { TestStore } from './contract/opened.ts';

export const PYTHON = process.env.BOOTSTRAX_PYTHON ?? resolve('.venv/bin/python');

/** A MongoDB replica set to run the same suites on. */
const REAL_URL = process.env.BOOTSTRAX_TEST_MONGO_URL || undefined;

export interface TestServer {
  url: string;
  stop(): Promise<void>;
}

/** An embedded server of the test's own, in a directory of its own. */
export async function ownServer(): Promise<TestServer & { stateDir: string }> {
  const stateDir = await mkdtemp(join(tmpdir(), 'bootstrax-store-'));
  const { url } = await startEmbedded({ python: PYTHON, stateDir, port: null, testCommands: true });
  return {
    url,
    stateDir,
    stop: async () => {
      await stopEmbedded(stateDir);
      await rm(stateDir, { recursive: true, force: true });
    },
  };
}

export interface ServerStore extends TestStore {
  events: StoreEvent[];
  /** The databases as another program sees them. */
  runsDb: Db;
  daqDb: Db;
}

const DAQ_COLLECTIONS = new Set(['eb_monitor', 'log', 'aggregate_status']);

let databases = 0;

/** A store on databases of its own; `close` drops them. The URL may hold user, password and TLS. */
export async function testStore(
  url: string,
  options: Partial<StoreOptions> = {},
): Promise<ServerStore> {
  const suffix = `${process.pid}_${Date.now()}_${databases++}`;
  const events: StoreEvent[] = [];
  const apart = splitUrl(url);
  const settings: StoreOptions = {
    runsUrl: apart.url,
    daqUrl: null,
    runsDb: `test_runs_${suffix}`,
    daqDb: `test_daq_${suffix}`,
    runsCredentials: apart.credentials,
    daqCredentials: apart.credentials,
    manage: true,
    callTimeoutSeconds: 10,
    ...options,
  };
  const store = openStore(settings, (event) => events.push(event));
  if (settings.manage) await store.ensureIndexes();
  const outside = new MongoClient(url);
  const runsDb = outside.db(settings.runsDb);
  const daqDb = outside.db(settings.daqDb);
  return {
    store,
    events,
    runsDb,
    daqDb,
    runs: runsDb.collection('runs'),
    outside: (name) => (DAQ_COLLECTIONS.has(name) ? daqDb : runsDb).collection(name),
    close: async () => {
      await store.close();
      await outside.close();
      // An embedded server goes with its directory.
      if (url !== REAL_URL) return;
      const fresh = new MongoClient(url);
      await fresh.db(settings.runsDb).dropDatabase();
      await fresh.db(settings.daqDb).dropDatabase();
      await fresh.close();
    },
  };
}

/**
 * Runs one suite on the embedded server and, where `BOOTSTRAX_TEST_MONGO_URL` names one, on a real
 * MongoDB replica set.
 */
export function onEachServer(name: string, suite: (context: { url: () => string }) => void): void {
  describe(`${name} (embedded server)`, () => {
    let server: TestServer;
    beforeAll(async () => {
      server = await ownServer();
    });
    afterAll(() => server.stop());
    suite({ url: () => server.url });
  });
  const real = REAL_URL;
  if (real !== undefined) {
    describe(`${name} (BOOTSTRAX_TEST_MONGO_URL)`, () => suite({ url: () => real }));
  }
}
