import { Binary, type Document } from 'mongodb';

import { ONLINE_MONITOR_INDEXES } from '../attempt/online-monitor.store.ts';
import {
  ACTION_INDEXES,
  ACTIONS_COLLECTION,
  watchActions,
} from '../features/actions/action.store.ts';
import { ALARM_INDEXES } from '../features/alarms/alarm.store.ts';
import { MAINTENANCE_INDEXES } from '../features/alarms/maintenance.store.ts';
import { DELETION_INDEXES } from '../features/deletion/deletion.store.ts';
import { EB_MONITOR_CAPPED, EB_MONITOR_INDEXES } from '../host/eb-monitor.store.ts';
import { HOST_INDEXES, HOSTS_COLLECTION } from '../host/host.store.ts';
import { HOST_HISTORY_EXPIRING, HOST_HISTORY_INDEXES } from '../host/host-history.store.ts';
import {
  boundCommand,
  boundOf,
  createCapped,
  createExpiring,
} from '../infra/mongo/bounded-collections.ts';
import { type Caller, createCaller } from '../infra/mongo/call.ts';
import { type Connection, createConnection } from '../infra/mongo/client.ts';
import { boundedCollection, type Collection } from '../infra/mongo/collection.ts';
import type { StoreEvent, StoreOptions } from '../infra/mongo/connection.port.ts';
import { asCommand, createIndexes, type Databases, findMissing } from '../infra/mongo/indexes.ts';
import { readOnlyCollection } from '../infra/mongo/read-only.ts';
import { createServerClock } from '../infra/mongo/server-clock.ts';
import { StoreError } from '../infra/mongo/store-error.ts';
import { RATE_INDEXES, RATES_COLLECTION, watchRates } from '../plan/data-rate.store.ts';
import type { Store } from '../ports/store.ts';
import { ATTEMPT_INDEXES } from '../retry/attempt-history.store.ts';
import { RUN_INDEXES, RUNS_COLLECTION } from '../run/run.store.ts';
import { watchRuns } from '../run/run-watch.ts';
import { composeStore } from './compose.ts';

const INDEXES = [
  ...RUN_INDEXES,
  ...HOST_INDEXES,
  ...HOST_HISTORY_INDEXES,
  ...ATTEMPT_INDEXES,
  ...DELETION_INDEXES,
  ...ACTION_INDEXES,
  ...ALARM_INDEXES,
  ...MAINTENANCE_INDEXES,
  ...EB_MONITOR_INDEXES,
  ...RATE_INDEXES,
  ...ONLINE_MONITOR_INDEXES,
];

/** Share of the call timeout after which a server gives up a read by itself. */
const READ_SHARE = 0.8;

/**
 * Connects lazily: it returns at once, and an unreachable server shows at the first call.
 * `notify` hears of retries and of connections that come and go.
 */
export function openStore(options: StoreOptions, notify: (event: StoreEvent) => void): Store {
  const { callTimeoutSeconds } = options;
  const runsServer = createConnection(
    'runs',
    { url: options.runsUrl, credentials: options.runsCredentials, callTimeoutSeconds },
    notify,
  );
  const daqServer =
    options.daqUrl === null
      ? runsServer
      : createConnection(
          'daq',
          { url: options.daqUrl, credentials: options.daqCredentials, callTimeoutSeconds },
          notify,
        );
  const runsCaller = createCaller('runs', options.callTimeoutSeconds, notify);
  const daqCaller = createCaller('daq', options.callTimeoutSeconds, notify);
  const runsDb = () => runsServer.db(options.runsDb);
  const daqDb = () => daqServer.db(options.daqDb);
  const databases: Databases = {
    runs: { db: runsDb, caller: runsCaller },
    daq: { db: daqDb, caller: daqCaller },
  };

  const serverTime = createServerClock(runsDb, runsCaller);
  const readLimitMs = Math.ceil(options.callTimeoutSeconds * 1000 * READ_SHARE);
  const allowed = options.readOnly ? readOnlyCollection : (collection: Collection) => collection;
  return {
    ...composeStore({
      inRuns: (name) =>
        allowed(boundedCollection(name, () => runsDb().collection(name), runsCaller, readLimitMs)),
      inDaq: (name) =>
        allowed(boundedCollection(name, () => daqDb().collection(name), daqCaller, readLimitMs)),
      runsTime: serverTime,
      daqTime: daqServer === runsServer ? serverTime : createServerClock(daqDb, daqCaller),
      watchRuns: watchRuns(() => runsDb().collection(RUNS_COLLECTION), runsCaller),
      watchActions: watchActions(() => runsDb().collection(ACTIONS_COLLECTION), runsCaller),
      watchRates: watchRates(() => daqDb().collection(RATES_COLLECTION), daqCaller),
    }),
    ping: async () => {
      await ping(runsServer, runsCaller);
      if (daqServer !== runsServer) await ping(daqServer, daqCaller);
    },
    hostsCollectionId: async () => {
      const listed = await runsCaller
        .repeatable('listing collections', () =>
          runsDb().listCollections({ name: HOSTS_COLLECTION }).toArray(),
        )
        .catch((error: unknown) => {
          if (error instanceof StoreError && error.kind !== 'unreachable') return [];
          throw error;
        });
      return idOf(listed[0]);
    },
    ensureIndexes: async () => {
      if (!options.manage || options.readOnly) {
        throw new StoreError(
          'refused',
          'indexes are created only in a database of ours or with database.manage = true',
        );
      }
      await createCapped(databases, EB_MONITOR_CAPPED);
      await createExpiring(databases, HOST_HISTORY_EXPIRING);
      await createIndexes(databases, await findMissing(databases, INDEXES));
    },
    missingIndexes: async () =>
      (await findMissing(databases, INDEXES)).map((spec) => asCommand(databases, spec)),
    heartbeatsBound: async () => {
      const bound = await boundOf(databases, EB_MONITOR_CAPPED);
      return { bound, command: boundCommand(databases, EB_MONITOR_CAPPED, bound) };
    },
    close: async () => {
      await Promise.all([...new Set([runsServer, daqServer])].map((server) => server.close()));
    },
  };
}

function idOf(collection: Document | undefined): string | null {
  const id: unknown = (collection?.['info'] as Document | undefined)?.['uuid'];
  return id instanceof Binary ? id.toString('hex') : null;
}

async function ping(server: Connection, caller: Caller): Promise<void> {
  await caller.once('ping', () => server.db('admin').command({ ping: 1 }));
}
