import { type Db, MongoClient, type MongoClientOptions } from 'mongodb';

import { systemClock } from '../clock/clock.ts';
import { giveUp, within } from '../concurrency/deadline.ts';
import type { Credentials, StoreEvent } from './connection.port.ts';
import { StoreError, toStoreError } from './store-error.ts';

/** The kinds of server that accept writes. */
const WRITABLE = new Set(['RSPrimary', 'Standalone', 'Mongos', 'LoadBalancer']);

const HEARTBEAT_MS = 10_000;
/** A database without a server for this time is reported as unreachable. */
const LOSS_MS = 1000;
/** Longer than a change stream may stay silent; the outer timeout of each call is shorter. */
const SOCKET_MS = 60_000;

/** Within this time a server reports that it still waits for its replicas; later no call waits for it. */
const REPLICATION_SHARE = 0.8;

/** A connection that outlives the driver's clients. */
export interface Connection {
  /** Ask for it anew for each call. */
  db(name: string): Db;
  /** Ends within the call timeout. */
  close(): Promise<void>;
}

/** A server, and how it is called. */
export interface Server {
  url: string;
  credentials: Credentials | null;
  callTimeoutSeconds: number;
}

/**
 * Connects at the first call and reports when its server comes and goes.
 *
 * A driver's client can lose its only server for good: one whose first connection failed is closed,
 * and one whose server said during its shutdown that it belongs to no replica set has struck it
 * from its list. Such a client is replaced by a new one with the address as configured.
 */
export function createConnection(
  database: 'runs' | 'daq',
  { url, credentials, callTimeoutSeconds }: Server,
  notify: (event: StoreEvent) => void,
): Connection {
  // A name alone is no secret: certificates and Kerberos go without a password.
  if (/^mongodb(\+srv)?:\/\/[^/@:]*:[^/]*@/.test(url)) {
    throw new StoreError(
      'refused',
      `the address of the ${database} database contains a password: give user and password in a credentials file`,
    );
  }
  const settings = clientSettings(callTimeoutSeconds * 1000, credentials);
  const report = connectionReporter(database, notify);
  let client = open();
  let usable = true;

  function open(): MongoClient {
    let opened: MongoClient;
    try {
      opened = new MongoClient(url, settings);
    } catch (error) {
      throw toStoreError(error, 'reading its address', database);
    }
    opened.on('topologyDescriptionChanged', ({ newDescription }) => {
      if (opened !== client) return;
      const servers = [...newDescription.servers.values()];
      const up = servers.some((server) => WRITABLE.has(server.type));
      const failure = servers.find((server) => server.error !== null)?.error ?? null;
      if (servers.length === 0) usable = false;
      report(up, failure);
    });
    opened.on('topologyClosed', () => {
      if (opened === client) usable = false;
    });
    return opened;
  }

  return {
    db: (name) => {
      if (!usable) {
        giveUp(client.close());
        client = open();
        usable = true;
      }
      return client.db(name);
    },
    close: async () => {
      // Closing the connection to a server that does not answer would never end; nothing depends on it.
      await within(systemClock, callTimeoutSeconds, client.close());
    },
  };
}

function clientSettings(callMs: number, credentials: Credentials | null): MongoClientOptions {
  return {
    appName: 'bootstrax',
    serverSelectionTimeoutMS: Math.ceil(callMs * 0.6),
    connectTimeoutMS: Math.ceil(callMs * 0.6),
    socketTimeoutMS: SOCKET_MS,
    waitQueueTimeoutMS: callMs,
    heartbeatFrequencyMS: HEARTBEAT_MS,
    // A call that failed makes the driver check its server at once, which it cannot while it
    // waits for the server to report by itself.
    serverMonitoringMode: 'poll',
    readPreference: 'primary',
    retryReads: true,
    retryWrites: true,
    writeConcern: {
      w: 'majority',
      journal: true,
      wtimeoutMS: Math.ceil(callMs * REPLICATION_SHARE),
    },
    maxPoolSize: 20,
    ...(credentials === null ? {} : authentication(credentials)),
  };
}

function authentication(credentials: Credentials): MongoClientOptions {
  const { username, password, authSource } = credentials;
  return { auth: { username, password }, ...(authSource === undefined ? {} : { authSource }) };
}

/**
 * Reports changes only; before the first answer or failure nothing is known. A server that is back
 * a moment later, as in a fail-over, was never away.
 */
function connectionReporter(database: 'runs' | 'daq', notify: (event: StoreEvent) => void) {
  let known: boolean | null = null;
  let loss: NodeJS.Timeout | null = null;
  return (up: boolean, failure: Error | null) => {
    if (up) {
      if (loss !== null) clearTimeout(loss);
      loss = null;
      if (known !== true) notify({ kind: 'connection', database, up, reason: null });
      known = true;
      return;
    }
    if (known === false || loss !== null || (known === null && failure === null)) return;
    const reason =
      failure === null
        ? 'no server accepts writes'
        : toStoreError(failure, 'watching the server', database).message;
    // eslint-disable-next-line no-restricted-syntax -- must not keep a command alive, which only a timer itself can be told
    loss = setTimeout(() => {
      loss = null;
      known = false;
      notify({ kind: 'connection', database, up, reason });
    }, LOSS_MS).unref();
  };
}
