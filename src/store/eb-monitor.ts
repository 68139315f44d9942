import { ObjectId, type Document } from 'mongodb';

import type { Collection } from './collection.ts';
import { literal } from './expressions.ts';
import type { CappedSpec, IndexSpec } from './indexes.ts';
import type { EbMonitorStore, LifeSign } from './types.ts';

export const EB_MONITOR_COLLECTION = 'eb_monitor';

export const EB_MONITOR_INDEXES: readonly IndexSpec[] = [
  {
    database: 'daq',
    collection: EB_MONITOR_COLLECTION,
    name: 'host_time',
    key: { host: 1, time: 1 },
  },
];

/** About three days of one host's life signs. */
export const EB_MONITOR_CAPPED: CappedSpec = {
  database: 'daq',
  collection: EB_MONITOR_COLLECTION,
  sizeBytes: 16 * 1024 * 1024,
};

/** States of hosts that take no runs although they may give life signs. */
const NOT_WORKING: readonly unknown[] = ['dead_bootstrax', 'disk full'];
const RECENT_SECONDS = [300, 86_400];

export function lifeSignUpdate(sign: LifeSign): Document[] {
  return [{ $set: { ...fieldsOf(sign), time: '$$NOW' } }];
}

function fieldsOf(sign: LifeSign): Document {
  return Object.fromEntries(
    Object.entries(sign)
      .filter(([, value]) => value !== undefined)
      .map(([field, value]) => [field, literal(value)]),
  );
}

export function createEbMonitorStore(
  monitor: Collection,
  serverTime: () => Promise<Date>,
): EbMonitorStore {
  const newestSince = async (host: string, since: Date | null): Promise<Document | null> => {
    const [newest] = await monitor.find(
      { host, ...(since === null ? {} : { time: { $gte: since } }) },
      { sort: { _id: -1 }, limit: 1 },
    );
    return newest ?? null;
  };
  return {
    write: async (sign) => {
      await monitor.repeatUpdateOne(
        'eb_monitor.write',
        { _id: new ObjectId() },
        lifeSignUpdate(sign),
        { upsert: true },
      );
    },
    newest: async (host) => {
      const now = (await serverTime()).getTime();
      for (const seconds of RECENT_SECONDS) {
        const recent = await newestSince(host, new Date(now - seconds * 1000));
        if (recent !== null) return recent;
      }
      return newestSince(host, null);
    },
    alive: async (hosts, maxAgeSeconds) => {
      const since = new Date((await serverTime()).getTime() - maxAgeSeconds * 1000);
      const signs = await monitor.find(
        { host: { $in: [...hosts] }, time: { $gte: since } },
        { projection: { host: 1, state: 1 }, sort: { _id: 1 } },
      );
      const states = new Map(signs.map((sign) => [sign.host as string, sign.state as unknown]));
      return [...states].filter(([, state]) => !NOT_WORKING.includes(state)).map(([host]) => host);
    },
  };
}
