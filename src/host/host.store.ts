import type { Document } from 'mongodb';

import { type Holder, readHolder } from '../exclusion/holder.pure.ts';
import type { Collection } from '../infra/mongo/collection.ts';
import { literal } from '../infra/mongo/expressions.ts';
import type { IndexSpec } from '../infra/mongo/indexes.ts';
import { DUPLICATE_KEY, StoreError } from '../infra/mongo/store-error.ts';
import type { HostDocument, HostStatus, HostStore } from './host.port.ts';

export const HOSTS_COLLECTION = 'bootstrax';

export const HOST_INDEXES: readonly IndexSpec[] = [
  { database: 'runs', collection: HOSTS_COLLECTION, name: 'host', key: { host: 1 } },
];

const MOST_HOSTS = 100;
/** Release 0.1.0 has left at most a few of one host. */
const MOST_OF_ONE_HOST = 10;
/** A document of no host: it names the database. */
const MARK_ID = 'identity';

/** Two managers of one name write to one document, whatever they do at the same time. */
export function hostId(host: string): string {
  return `host:${host}`;
}

/** Replaces the whole document, so that no field outlives its meaning. */
export function hostUpdate({
  host,
  state,
  holder,
  isLast: leaves,
  extras,
}: HostStatus): Document[] {
  return [
    {
      $replaceWith: {
        $mergeObjects: [
          literal(extras),
          { _id: literal(hostId(host)), host: literal(host), state, time: '$$NOW' },
          ...(leaves === true ? [] : [{ holder: literal(holder) }]),
        ],
      },
    },
  ];
}

/** Of release 0.1.0: its host's name goes elsewhere, so that no reader finds two of one host. */
const RETIRED: Document[] = [
  { $replaceWith: { _id: '$_id', retired_host: '$host', time: '$time' } },
];

export function createHostStore(hosts: Collection): HostStore {
  const ofRelease010 = (host: string) =>
    hosts.find({ host, _id: { $ne: hostId(host) } }, { limit: MOST_OF_ONE_HOST });
  return {
    write: async (status) => {
      const { host, holder } = status;
      const own = { _id: hostId(host), 'holder.instance': holder.instance };
      const matched = await hosts.repeatUpdateOne('hosts.write', own, hostUpdate(status));
      return matched === 1 ? 'landed' : 'displaced';
    },
    named: async (host) => {
      const [document] = await hosts.find({ _id: hostId(host) }, { limit: 1 });
      if (document !== undefined) return hostOf(document)[0] ?? null;
      return newest((await ofRelease010(host)).flatMap(hostOf))[0] ?? null;
    },
    take: async (status, seen) => {
      const expected = { _id: hostId(status.host), 'holder.instance': seen };
      try {
        const options = { upsert: seen === null };
        const matched = await hosts.updateOne('hosts.take', expected, hostUpdate(status), options);
        if (matched === 0) return 'lost';
      } catch (error) {
        if (error instanceof StoreError && error.code === DUPLICATE_KEY) return 'lost';
        throw error;
      }
      if ((await ofRelease010(status.host)).length > 0) {
        const others = { host: status.host, _id: { $ne: hostId(status.host) } };
        await hosts.repeatUpdateAll('hosts.retire', others, RETIRED);
      }
      return 'taken';
    },
    all: async () =>
      newest(
        // No document of a host is without its name.
        (
          await hosts.find({ host: { $gt: '' } }, { projection: { _id: 0 }, limit: MOST_HOSTS })
        ).flatMap(hostOf),
      ),
    readMark: async () => markIn((await hosts.find({ _id: MARK_ID }, { limit: 1 }))[0]),
    mark: async (mark) => {
      const update = [
        {
          $replaceWith: {
            $mergeObjects: [{ _id: MARK_ID, mark: literal(mark), made: '$$NOW' }, '$$ROOT'],
          },
        },
      ];
      await hosts.repeatUpdateOne('hosts.mark', { _id: MARK_ID }, update, {
        upsert: true,
      });
      const made = markIn((await hosts.find({ _id: MARK_ID }, { limit: 1 }))[0]);
      if (made === null) throw new StoreError('unfit', 'the mark of the runs database is no text');
      return made;
    },
  };
}

function markIn(document: Document | undefined): string | null {
  const mark: unknown = document?.['mark'];
  return typeof mark === 'string' && mark !== '' ? mark : null;
}

/** One of each host, the newest. */
function newest(documents: readonly HostDocument[]): HostDocument[] {
  const byHost = new Map<string, HostDocument>();
  for (const document of documents) {
    const other = byHost.get(document.host);
    if (other === undefined || other.time < document.time) byHost.set(document.host, document);
  }
  return [...byHost.values()];
}

function hostOf(document: Document): HostDocument[] {
  const { _id, host, state, time, holder, ...extras } = document;
  if (typeof host !== 'string' || !(time instanceof Date)) return [];
  const named: Holder | null = readHolder(holder);
  return [{ host, state: typeof state === 'string' ? state : '', time, holder: named, extras }];
}
