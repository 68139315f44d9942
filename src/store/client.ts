import { MongoClient, type MongoClientOptions } from 'mongodb';

import { StoreError, toStoreError } from './errors.ts';
import type { Credentials, StoreEvent, StoreOptions } from './types.ts';

/** The kinds of server that accept writes. */
const WRITABLE = new Set(['RSPrimary', 'Standalone', 'Mongos', 'LoadBalancer']);

const HEARTBEAT_MS = 10_000;
/** Longer than a change stream may stay silent; the outer time-out of each call is shorter. */
const SOCKET_MS = 60_000;

/** A client that connects at its first call and tells when its server comes and goes. */
export function createClient(
  database: 'runs' | 'daq',
  url: string,
  credentials: Credentials | null,
  options: Pick<StoreOptions, 'callTimeoutSeconds'>,
  notify: (event: StoreEvent) => void,
): MongoClient {
  if (/^mongodb(\+srv)?:\/\/[^/]*@/.test(url)) {
    throw new StoreError(
      'refused',
      `the address of the ${database} database contains a user or password: give them in a credentials file`,
    );
  }
  const callMs = options.callTimeoutSeconds * 1000;
  const settings: MongoClientOptions = {
    appName: 'bootstrax',
    serverSelectionTimeoutMS: Math.ceil(callMs * 0.6),
    connectTimeoutMS: Math.ceil(callMs * 0.6),
    socketTimeoutMS: SOCKET_MS,
    waitQueueTimeoutMS: callMs,
    heartbeatFrequencyMS: HEARTBEAT_MS,
    readPreference: 'primary',
    retryReads: true,
    retryWrites: true,
    writeConcern: { w: 'majority', journal: true, wtimeoutMS: callMs },
    maxPoolSize: 20,
    ...(credentials === null ? {} : authentication(credentials)),
  };
  let client: MongoClient;
  try {
    client = new MongoClient(url, settings);
  } catch (error) {
    throw toStoreError(error, 'reading its address', database);
  }
  tellConnection(client, database, notify);
  return client;
}

function authentication(credentials: Credentials): MongoClientOptions {
  const { username, password, authSource } = credentials;
  return { auth: { username, password }, ...(authSource === undefined ? {} : { authSource }) };
}

function tellConnection(
  client: MongoClient,
  database: 'runs' | 'daq',
  notify: (event: StoreEvent) => void,
): void {
  let known: boolean | null = null;
  client.on('topologyDescriptionChanged', ({ newDescription }) => {
    const servers = [...newDescription.servers.values()];
    const up = servers.some((server) => WRITABLE.has(server.type));
    const failure = servers.find((server) => server.error !== null)?.error;
    // Before the first answer or failure nothing is known.
    if (!up && !failure && known === null) return;
    if (up === known) return;
    known = up;
    const reason = up ? null : toStoreError(failure ?? 'no primary', 'watching', database).message;
    notify({ kind: 'connection', database, up, reason });
  });
}
