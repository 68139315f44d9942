import type { Document } from 'mongodb';

import type { Collection } from './collection.ts';
import { literal } from './expressions.ts';
import type { IndexSpec } from './indexes.ts';
import type { HostDocument, HostStatus, HostStore } from './types.ts';

export const HOSTS_COLLECTION = 'bootstrax';

export const HOST_INDEXES: readonly IndexSpec[] = [
  { database: 'runs', collection: HOSTS_COLLECTION, name: 'host', key: { host: 1 } },
];

const MOST_HOSTS = 100;

/** Replaces the whole document, so that no field outlives its meaning. */
export function hostUpdate(status: HostStatus): Document[] {
  return [
    {
      $replaceWith: {
        $mergeObjects: [
          { _id: '$_id' },
          literal(status.extras),
          { host: literal(status.host), state: status.state, time: '$$NOW' },
        ],
      },
    },
  ];
}

export function createHostStore(hosts: Collection): HostStore {
  return {
    write: async (status) => {
      await hosts.repeatUpdateOne('hosts.write', { host: status.host }, hostUpdate(status), {
        upsert: true,
      });
    },
    all: async () =>
      (await hosts.find({}, { projection: { _id: 0 }, limit: MOST_HOSTS })).flatMap(hostOf),
  };
}

function hostOf(document: Document): HostDocument[] {
  const { host, state, time, ...extras } = document;
  if (typeof host !== 'string' || !(time instanceof Date)) return [];
  return [{ host, state: typeof state === 'string' ? state : '', time, extras }];
}
