import type { Document, ObjectId } from 'mongodb';
import { afterAll, beforeAll, beforeEach } from 'vitest';

import type { Store } from '../../../../src/ports/store.ts';

/** A collection as another program sees it: the part of the driver's that the suites use. */
export interface Outside {
  find(filter?: Document, options?: OutsideFind): { toArray(): Promise<Document[]> };
  findOne(filter: Document): Promise<Document | null>;
  insertOne(document: Document): Promise<{ insertedId: ObjectId }>;
  insertMany(documents: Document[]): Promise<unknown>;
  updateOne(filter: Document, update: Document): Promise<unknown>;
  deleteMany(filter: Document): Promise<unknown>;
}

interface OutsideFind {
  projection?: Document;
  sort?: Record<string, 1 | -1>;
}

/** A store on empty databases of its own, and what is in them. */
export interface TestStore {
  store: Store;
  runs: Outside;
  /** Any other collection of either database. */
  outside(name: string): Outside;
  close(): Promise<void>;
}

export type Open = () => Promise<TestStore>;

/** One store for the tests of a suite, without runs at the beginning of each of them. */
export function onEmptyStore(open: Open, ready: (opened: TestStore) => void): void {
  let opened: TestStore;
  beforeAll(async () => {
    opened = await open();
  });
  afterAll(() => opened.close());
  beforeEach(async () => {
    await opened.runs.deleteMany({});
    ready(opened);
  });
}
