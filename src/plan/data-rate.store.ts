import { type Collection as DriverCollection, type Document, ObjectId } from 'mongodb';

import type { Caller } from '../infra/mongo/call.ts';
import type { Collection } from '../infra/mongo/collection.ts';
import type { IndexSpec } from '../infra/mongo/indexes.ts';
import { follow } from '../infra/mongo/watch.ts';
import type { RateStore } from '../ports/daq.port.ts';

export const RATES_COLLECTION = 'aggregate_status';

export const RATE_INDEXES: readonly IndexSpec[] = [
  { database: 'daq', collection: RATES_COLLECTION, name: 'number', key: { number: 1 } },
];

export function maximalRatesPipeline(number: number): Document[] {
  return [{ $match: { number } }, { $group: { _id: '$detector', rate: { $max: '$rate' } } }];
}

/** Sum over detectors of the maximal rate, MB/s; null while no detector has a rate. */
export function sumRates(groups: readonly Document[]): Awaited<ReturnType<RateStore['ofRun']>> {
  const detectors: Record<string, number> = {};
  let total = 0;
  for (const { _id, rate } of groups as { _id: unknown; rate: unknown }[]) {
    if (typeof _id !== 'string' || typeof rate !== 'number' || !(rate > 0)) continue;
    detectors[_id] = rate;
    total += rate;
  }
  return total > 0 ? { total, detectors } : null;
}

export function createRateStore(rates: Collection, watch: RateStore['watch']): RateStore {
  return {
    ofRun: async (number) => sumRates(await rates.aggregate(maximalRatesPipeline(number))),
    anySince: async (time) => {
      const since = ObjectId.createFromTime(Math.floor(time.getTime() / 1000));
      const filter = { _id: { $gte: since } };
      return (await rates.find(filter, { projection: { _id: 1 }, limit: 1 })).length > 0;
    },
    watch,
  };
}

export function watchRates(collection: () => DriverCollection, caller: Caller): RateStore['watch'] {
  return (number, onHint, signal) =>
    follow({
      collection,
      caller,
      pipeline: [
        { $match: { operationType: 'insert', 'fullDocument.number': number } },
        { $project: { operationType: 1 } },
      ],
      onEvent: onHint,
      onGap: onHint,
      signal,
    });
}
