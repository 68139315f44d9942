import { type Document, ObjectId } from 'mongodb';

import { systemClock } from '../infra/clock/clock.ts';
import type { CappedSpec } from '../infra/mongo/bounded-collections.ts';
import type { Collection } from '../infra/mongo/collection.ts';
import { literal } from '../infra/mongo/expressions.ts';
import type { IndexSpec } from '../infra/mongo/indexes.ts';
import type { EbMonitorStore, HeartbeatWriter, HostHeartbeat, LastHeartbeat } from './host.port.ts';

export const EB_MONITOR_COLLECTION = 'eb_monitor';

export const EB_MONITOR_INDEXES: readonly IndexSpec[] = [
  {
    database: 'daq',
    collection: EB_MONITOR_COLLECTION,
    name: 'host_time',
    key: { host: 1, time: 1 },
  },
];

/**
 * On a server of its own room for some 450,000 heartbeats: two days of twenty hosts. On the embedded
 * server, which costs 5 to 9 µs of processor time for each that is kept, those of an hour of one host.
 */
export const EB_MONITOR_CAPPED: CappedSpec = {
  database: 'daq',
  collection: EB_MONITOR_COLLECTION,
  bytes: 256 * 2 ** 20,
  embeddedDocuments: 400,
  otherwise: { field: 'time', keepSeconds: 2 * 86_400 },
};

/** States of hosts that take no runs although they may send heartbeats. */
const NOT_WORKING: readonly unknown[] = ['dead_bootstrax', 'disk full'];
const RECENT_SECONDS = [300, 86_400];
/** The reference neither searches for a process of this number nor kills one. */
const NO_PID = 0;
/** Heartbeats of this time are changed by one command: few enough for the slowest server. */
const WINDOW_MS = 6 * 3_600_000;
/** Heartbeats older than these windows are few, if the collection keeps them at all. */
const WINDOWS = 40;
/** The newest heartbeats of one host that are read to learn who writes them. */
const MOST_WRITERS = 100;

export function hostHeartbeatUpdate(heartbeat: HostHeartbeat): Document[] {
  return [{ $set: { ...fieldsOf(heartbeat), time: '$$NOW' } }];
}

/** Only fields that the reference has itself: it goes on writing into this very document. */
export function lastHeartbeatUpdate(heartbeat: LastHeartbeat): Document[] {
  const state: HostHeartbeat['state'] = 'dead_bootstrax';
  const fields = { ...heartbeat, state, pid: NO_PID, undying: true, production_mode: true };
  return [{ $set: { ...fieldsOf(fields), time: '$$NOW' } }];
}

/** Ours say what they think; documents of other programs for the same host are left alone. */
export function ownPidsFilter(host: string, time: Document | null): Document {
  return {
    host,
    ...(time === null ? {} : { time }),
    pid: { $ne: NO_PID },
    thinking: { $exists: true },
  };
}

function fieldsOf(heartbeat: object): Document {
  return Object.fromEntries(
    Object.entries(heartbeat)
      .filter(([, value]) => value !== undefined)
      .map(([field, value]) => [field, literal(value)]),
  );
}

/**
 * An id that sorts after another one, which another process may have made within this very second:
 * for its readers the newest heartbeat is the one with the highest id.
 */
function idAfter(other: unknown): ObjectId {
  const ownSeconds = Math.floor(systemClock.now().getTime() / 1000);
  if (!(other instanceof ObjectId)) return new ObjectId();
  const laterSeconds = other.getTimestamp().getTime() / 1000 + 1;
  return new ObjectId(ObjectId.generate(Math.max(ownSeconds, laterSeconds)));
}

function writerOf({ _id, time, instance, pid }: Document): HeartbeatWriter[] {
  if (!(time instanceof Date) || typeof pid !== 'number') return [];
  return [{ id: String(_id), time, instance: typeof instance === 'string' ? instance : null, pid }];
}

type ServerTime = () => Promise<Date>;

export function createEbMonitorStore(monitor: Collection, serverTime: ServerTime): EbMonitorStore {
  return {
    write: async (heartbeat) => {
      await monitor.repeatUpdateOne(
        'eb_monitor.write',
        { _id: new ObjectId() },
        hostHeartbeatUpdate(heartbeat),
        { upsert: true },
      );
    },
    releaseHost: (heartbeat) => releaseHost(monitor, serverTime, heartbeat),
    newest: (host) => newest(monitor, serverTime, host),
    writers: async (host, seconds) => {
      const since = new Date((await serverTime()).getTime() - seconds * 1000);
      const heartbeats = await monitor.find(
        // The reference does not say what it thinks.
        { host, time: { $gte: since }, thinking: { $exists: true } },
        {
          projection: { time: 1, instance: 1, pid: 1 },
          sort: { time: -1 },
          limit: MOST_WRITERS,
        },
      );
      return heartbeats.flatMap(writerOf);
    },
    alive: async (hosts, maxAgeSeconds) => {
      const since = new Date((await serverTime()).getTime() - maxAgeSeconds * 1000);
      const heartbeats = await monitor.find(
        { host: { $in: [...hosts] }, time: { $gte: since } },
        { projection: { host: 1, state: 1 }, sort: { _id: 1 } },
      );
      const states = new Map(
        heartbeats.map((heartbeat) => [heartbeat.host as string, heartbeat.state as unknown]),
      );
      return [...states].filter(([, state]) => !NOT_WORKING.includes(state)).map(([host]) => host);
    },
  };
}

async function newest(
  monitor: Collection,
  serverTime: ServerTime,
  host: string,
): Promise<Document | null> {
  const now = (await serverTime()).getTime();
  for (const seconds of RECENT_SECONDS) {
    const recent = await newestSince(monitor, host, new Date(now - seconds * 1000));
    if (recent !== null) return recent;
  }
  return newestSince(monitor, host, null);
}

async function newestSince(
  monitor: Collection,
  host: string,
  since: Date | null,
): Promise<Document | null> {
  const [found] = await monitor.find(
    { host, ...(since === null ? {} : { time: { $gte: since } }) },
    { sort: { _id: -1 }, limit: 1 },
  );
  return found ?? null;
}

async function releaseHost(
  monitor: Collection,
  serverTime: ServerTime,
  heartbeat: LastHeartbeat,
): Promise<void> {
  const now = (await serverTime()).getTime();
  const release = (time: Document | null) =>
    monitor.repeatUpdateAll('eb_monitor.release_pids', ownPidsFilter(heartbeat.host, time), [
      { $set: { pid: NO_PID } },
    ]);
  for (let window = 0; window < WINDOWS; window++) {
    const since = new Date(now - (window + 1) * WINDOW_MS);
    // The first one has no upper end: the clock may have been asked a while ago.
    const before = window === 0 ? {} : { $lt: new Date(now - window * WINDOW_MS) };
    await release({ $gte: since, ...before });
  }
  await release(null);
  const before = await newest(monitor, serverTime, heartbeat.host);
  await monitor.repeatUpdateOne(
    'eb_monitor.write',
    { _id: idAfter(before?._id) },
    lastHeartbeatUpdate(heartbeat),
    { upsert: true },
  );
}
