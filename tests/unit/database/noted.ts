import type { Collection } from '../../../src/infra/mongo/collection.ts';

/** A collection that notes what is asked of it, writes nothing and finds what it is given. */
export function noted(found: object[] = [], matched = 1) {
  const calls: unknown[][] = [];
  const note =
    (name: string, answer: unknown) =>
    (...call: unknown[]) => {
      calls.push([name, ...call]);
      return Promise.resolve(answer);
    };
  const collection = {
    updateOne: note('updateOne', matched),
    repeatUpdateOne: note('repeatUpdateOne', matched),
    repeatUpdateAll: note('repeatUpdateAll', undefined),
    insertOne: note('insertOne', undefined),
    find: note('find', found),
    aggregate: note('aggregate', found),
  } as unknown as Collection;
  return { calls, collection };
}
