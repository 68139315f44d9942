import type { Collection as DriverCollection, Document, ObjectId, Sort } from 'mongodb';

import { crashPoint } from '../crash-points/cut.ts';
import type { DatabaseWrite } from '../crash-points/points.ts';
import type { Caller } from './call.ts';
import { DUPLICATE_KEY, StoreError } from './store-error.ts';

/**
 * What the modules of the store need of a collection; small, so that a test can bring its own. Every
 * write is named, and has a crash point before and after it (`infra/crash-points/points.ts`).
 */
export interface Collection {
  find(filter: Document, options?: FindOptions): Promise<Document[]>;
  aggregate(pipeline: Document[]): Promise<Document[]>;
  /** Number of documents matched or inserted by upsert: 0 or 1. Not repeated after an error. */
  updateOne(
    write: DatabaseWrite,
    filter: Document,
    update: Document[],
    options?: { upsert: boolean },
  ): Promise<number>;
  /** The same for updates that may be carried out twice without harm: repeated after an error. */
  repeatUpdateOne(
    write: DatabaseWrite,
    filter: Document,
    update: Document[],
    options?: { upsert: boolean },
  ): Promise<number>;
  /** Updates every document that matches; may be carried out twice without harm. */
  repeatUpdateAll(write: DatabaseWrite, filter: Document, update: Document[]): Promise<void>;
  /** Inserts a document that carries its `_id`; one that is there already counts as success. */
  insertOne(write: DatabaseWrite, document: Document & { _id: ObjectId }): Promise<void>;
  /** Removes documents; those that are gone already count as removed. */
  deleteByIds(write: DatabaseWrite, ids: readonly unknown[]): Promise<void>;
  /** The wait before a conditional write is tried again. */
  pause(milliseconds: number): Promise<void>;
}

export interface FindOptions {
  projection?: Document;
  sort?: Sort;
  skip?: number;
  limit?: number;
}

/**
 * `get` names the collection of the present client, which may change from call to call. After
 * `readLimitMs` the server itself ends a read; a limit of ours would only end the wait for it.
 */
export function boundedCollection(
  name: string,
  get: () => DriverCollection,
  caller: Caller,
  readLimitMs?: number,
): Collection {
  const limit = readLimitMs === undefined ? {} : { maxTimeMS: readLimitMs };
  return {
    find: (filter, options = {}) =>
      caller.repeatable(`reading ${name}`, () =>
        get()
          .find(filter, { ...options, ...limit })
          .toArray(),
      ),
    aggregate: (pipeline) =>
      caller.repeatable(`aggregating ${name}`, () => get().aggregate(pipeline, limit).toArray()),
    updateOne: (write, filter, update, options) =>
      around(write, () =>
        caller.once(`updating ${name}`, () => matched(get(), filter, update, options)),
      ),
    repeatUpdateOne: (write, filter, update, options) =>
      around(write, async () => {
        const carryOut = () =>
          caller.repeatable(`updating ${name}`, () => matched(get(), filter, update, options));
        try {
          return await carryOut();
        } catch (error) {
          if (options?.upsert !== true || !isDuplicate(error)) throw error;
          // Another process has inserted it at the same moment: it is there now.
          return carryOut();
        }
      }),
    repeatUpdateAll: async (write, filter, update) => {
      await around(write, () =>
        caller.repeatable(`updating ${name}`, () => get().updateMany(filter, update)),
      );
    },
    insertOne: async (write, document) => {
      try {
        await around(write, () =>
          caller.repeatable(`inserting into ${name}`, () => get().insertOne(document)),
        );
      } catch (error) {
        if (!isDuplicate(error)) throw error;
      }
    },
    deleteByIds: async (write, ids) => {
      const filter = { _id: { $in: [...ids] } } as Document;
      await around(write, () =>
        caller.repeatable(`deleting from ${name}`, () => get().deleteMany(filter)),
      );
    },
    pause: (milliseconds) => caller.pause(milliseconds),
  };
}

function isDuplicate(error: unknown): boolean {
  return error instanceof StoreError && error.code === DUPLICATE_KEY;
}

/** A kill after it finds the write in the database and nothing done with the answer. */
async function around<T>(write: DatabaseWrite, carryOut: () => Promise<T>): Promise<T> {
  crashPoint(`${write}:before`);
  const answer = await carryOut();
  crashPoint(`${write}:after`);
  return answer;
}

async function matched(
  collection: DriverCollection,
  filter: Document,
  update: Document[],
  options: { upsert: boolean } = { upsert: false },
): Promise<number> {
  const result = await collection.updateOne(filter, update, options);
  return result.matchedCount + result.upsertedCount;
}
