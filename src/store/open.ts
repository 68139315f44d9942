import { ATTEMPT_INDEXES, ATTEMPTS_COLLECTION, createAttemptStore } from './attempts.ts';
import { createCaller, type Caller } from './call.ts';
import { createConnection, type Connection } from './client.ts';
import { boundedCollection } from './collection.ts';
import { createDaqLogStore, LOG_COLLECTION } from './daq-log.ts';
import {
  createEbMonitorStore,
  EB_MONITOR_CAPPED,
  EB_MONITOR_COLLECTION,
  EB_MONITOR_INDEXES,
} from './eb-monitor.ts';
import { StoreError } from './errors.ts';
import { createHostStore, HOST_INDEXES, HOSTS_COLLECTION } from './hosts.ts';
import { asCommand, createCapped, createIndexes, findMissing, type Databases } from './indexes.ts';
import { createRateStore, RATE_INDEXES, RATES_COLLECTION, watchRates } from './rates.ts';
import { watchRuns } from './run-watch.ts';
import { createRunStore, RUN_INDEXES, RUNS_COLLECTION } from './runs.ts';
import { createServerClock } from './server-clock.ts';
import type { Store, StoreEvent, StoreOptions } from './types.ts';

const INDEXES = [
  ...RUN_INDEXES,
  ...HOST_INDEXES,
  ...ATTEMPT_INDEXES,
  ...EB_MONITOR_INDEXES,
  ...RATE_INDEXES,
];

/**
 * Connects lazily: it returns at once, and an unreachable server shows at the first call.
 * `notify` hears of retries and of connections that come and go.
 */
export function openStore(options: StoreOptions, notify: (event: StoreEvent) => void): Store {
  const runsServer = createConnection(
    'runs',
    options.runsUrl,
    options.runsCredentials,
    options,
    notify,
  );
  const daqServer =
    options.daqUrl === null
      ? runsServer
      : createConnection('daq', options.daqUrl, options.daqCredentials, options, notify);
  const runsCaller = createCaller('runs', options.callTimeoutSeconds, notify);
  const daqCaller = createCaller('daq', options.callTimeoutSeconds, notify);
  const runsDb = () => runsServer.db(options.runsDb);
  const daqDb = () => daqServer.db(options.daqDb);
  const databases: Databases = {
    runs: { db: runsDb, caller: runsCaller },
    daq: { db: daqDb, caller: daqCaller },
  };

  const serverTime = createServerClock(runsDb, runsCaller);
  const inRuns = (name: string) =>
    boundedCollection(name, () => runsDb().collection(name), runsCaller);
  const inDaq = (name: string) =>
    boundedCollection(name, () => daqDb().collection(name), daqCaller);

  return {
    runs: createRunStore(
      inRuns(RUNS_COLLECTION),
      serverTime,
      watchRuns(() => runsDb().collection(RUNS_COLLECTION), runsCaller),
    ),
    hosts: createHostStore(inRuns(HOSTS_COLLECTION)),
    attempts: createAttemptStore(inRuns(ATTEMPTS_COLLECTION)),
    ebMonitor: createEbMonitorStore(
      inDaq(EB_MONITOR_COLLECTION),
      daqServer === runsServer ? serverTime : createServerClock(daqDb, daqCaller),
    ),
    daqLog: createDaqLogStore(inDaq(LOG_COLLECTION)),
    rates: createRateStore(
      inDaq(RATES_COLLECTION),
      watchRates(() => daqDb().collection(RATES_COLLECTION), daqCaller),
    ),
    ping: async () => {
      await ping(runsServer, runsCaller);
      if (daqServer !== runsServer) await ping(daqServer, daqCaller);
    },
    serverTime,
    ensureIndexes: async () => {
      if (!options.manage) {
        throw new StoreError(
          'refused',
          'indexes are created only in a database of ours or with database.manage = true',
        );
      }
      await createCapped(databases, [EB_MONITOR_CAPPED]);
      await createIndexes(databases, await findMissing(databases, INDEXES));
    },
    missingIndexes: async () =>
      (await findMissing(databases, INDEXES)).map((spec) => asCommand(databases, spec)),
    close: async () => {
      await Promise.all([...new Set([runsServer, daqServer])].map((server) => server.close()));
    },
  };
}

async function ping(server: Connection, caller: Caller): Promise<void> {
  await caller.once('ping', () => server.db('admin').command({ ping: 1 }));
}
