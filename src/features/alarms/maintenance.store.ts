import { type Document, ObjectId } from 'mongodb';

import type { Collection } from '../../infra/mongo/collection.ts';
import { inSeconds, literal } from '../../infra/mongo/expressions.ts';
import type { IndexSpec } from '../../infra/mongo/indexes.ts';
import type { MaintenanceStore } from './alarm.port.ts';
import type { Maintenance } from './alarm.pure.ts';

export const MAINTENANCE_COLLECTION = 'bootstrax_maintenance';

export const MAINTENANCE_INDEXES: readonly IndexSpec[] = [
  { database: 'runs', collection: MAINTENANCE_COLLECTION, name: 'until', key: { until: 1 } },
];

const MOST_WINDOWS = 100;

/** Time spans in which no alarm is sent. */
export function createMaintenanceStore(windows: Collection): MaintenanceStore {
  return {
    start: async ({ host, seconds, by, reason }) => {
      const id = new ObjectId();
      await windows.repeatUpdateOne(
        'maintenance.start',
        { _id: id },
        [
          {
            $set: {
              ...{ host: literal(host), by: literal(by), reason: literal(reason) },
              from: { $ifNull: ['$from', '$$NOW'] },
              until: { $ifNull: ['$until', inSeconds(seconds)] },
              ended_by: null,
            },
          },
        ],
        { upsert: true },
      );
      return id.toHexString();
    },
    end: async (id, by, now) => {
      if (!ObjectId.isValid(id)) return false;
      const ended = await windows.repeatUpdateOne(
        'maintenance.end',
        { _id: new ObjectId(id), until: { $gt: now } },
        [{ $set: { until: '$$NOW', ended_by: literal(by) } }],
      );
      return ended === 1;
    },
    endingAfter: async (time) =>
      (await windows.find({ until: { $gt: time } }, { limit: MOST_WINDOWS }))
        .flatMap(windowOf)
        .sort((a, b) => a.from.getTime() - b.from.getTime()),
  };
}

function windowOf(document: Document): Maintenance[] {
  const { _id, host, from, until, by, reason, ended_by: endedBy } = document;
  if (!(from instanceof Date) || !(until instanceof Date)) return [];
  return [
    {
      id: String(_id),
      host: typeof host === 'string' ? host : null,
      from,
      until,
      by: String(by),
      reason: String(reason),
      endedBy: typeof endedBy === 'string' ? endedBy : null,
    },
  ];
}
