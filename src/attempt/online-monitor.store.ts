import type { Document } from 'mongodb';

import type { Collection } from '../infra/mongo/collection.ts';
import type { IndexSpec } from '../infra/mongo/indexes.ts';
import type { OnlineMonitorStore } from '../ports/daq.port.ts';

export const ONLINE_MONITOR_COLLECTION = 'online_monitor';

export const ONLINE_MONITOR_INDEXES: readonly IndexSpec[] = [
  {
    database: 'runs',
    collection: ONLINE_MONITOR_COLLECTION,
    name: 'number',
    key: { number: 1 },
  },
];

/** Documents removed at a time: each may have 16 MB. */
const BATCH = 200;

export function createOnlineMonitorStore(monitor: Collection): OnlineMonitorStore {
  return {
    some: async (number) => {
      const found = await monitor.find({ number }, { projection: { _id: 1 }, limit: BATCH });
      return found.map(({ _id }: Document) => _id as unknown);
    },
    remove: (ids) => monitor.deleteByIds('online_monitor.wipe', ids),
  };
}
