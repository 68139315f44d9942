import type { Document } from 'mongodb';

import type { ExpiringSpec } from '../infra/mongo/bounded-collections.ts';
import type { Collection } from '../infra/mongo/collection.ts';
import { literal } from '../infra/mongo/expressions.ts';
import type { IndexSpec } from '../infra/mongo/indexes.ts';
import type { HostHeartbeat, HostHistoryStore } from './host.port.ts';

export const HOST_HISTORY_COLLECTION = 'bootstrax_host_history';

/** One document of a host for each span of this length. */
export const HISTORY_SECONDS = 300;
/** Two days of them: the next one replaces the oldest. */
const SPANS = (2 * 86_400) / HISTORY_SECONDS;

export const HOST_HISTORY_INDEXES: readonly IndexSpec[] = [
  {
    database: 'runs',
    collection: HOST_HISTORY_COLLECTION,
    name: 'host_time',
    key: { host: 1, time: 1 },
  },
];

/** Of hosts that are gone as well. */
export const HOST_HISTORY_EXPIRING: ExpiringSpec = {
  database: 'runs',
  collection: HOST_HISTORY_COLLECTION,
  field: 'time',
  keepSeconds: (SPANS + 1) * HISTORY_SECONDS,
};

/** Where the heartbeat of a time is kept: the same place again after two days. */
export function historyId(host: string, time: Date): string {
  const span = Math.floor(time.getTime() / 1000 / HISTORY_SECONDS) % SPANS;
  return `${host} ${String(span).padStart(3, '0')}`;
}

/** The figures of a heartbeat, as a whole: nothing of an older one stays. */
export function historyUpdate(heartbeat: HostHeartbeat): Document[] {
  const fields = {
    host: heartbeat.host,
    cpu_percent: heartbeat.cpu_percent,
    memory_percent: heartbeat.memory_percent,
    swap_percent: heartbeat.swap_percent,
    disk_used: heartbeat.disk_used,
    live_disk_used: heartbeat.live_disk_used ?? null,
    load: heartbeat.load ?? null,
  };
  return [{ $set: { ...literalFields(fields), time: '$$NOW' } }];
}

const literalFields = (fields: object): Document =>
  Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, literal(value)]));

export function createHostHistoryStore(
  history: Collection,
  serverTime: () => Promise<Date>,
): HostHistoryStore {
  return {
    write: async (heartbeat) => {
      await history.repeatUpdateOne(
        'host_history.write',
        { _id: historyId(heartbeat.host, await serverTime()) },
        historyUpdate(heartbeat),
        { upsert: true },
      );
    },
  };
}
