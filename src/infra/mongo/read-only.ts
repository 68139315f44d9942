import type { Collection } from './collection.ts';
import { StoreError } from './store-error.ts';

/** The same collection without a way to change it: a write is refused before it leaves the process. */
export function readOnlyCollection(collection: Collection): Collection {
  const refuse = (write: string) =>
    Promise.reject(new StoreError('refused', `${write}: this program may only read`));
  return {
    find: (filter, options) => collection.find(filter, options),
    aggregate: (pipeline) => collection.aggregate(pipeline),
    pause: (milliseconds) => collection.pause(milliseconds),
    ...{ updateOne: refuse, repeatUpdateOne: refuse, repeatUpdateAll: refuse },
    ...{ insertOne: refuse, deleteByIds: refuse },
  };
}
