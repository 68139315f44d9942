import type { Document, ObjectId } from 'mongodb';

import type { DatabaseWrite } from '../crash-points/points.ts';
import { assertThat } from '../values/assertion.pure.ts';
import type { Collection } from './collection.ts';
import { StoreError } from './store-error.ts';

const RETRY_DELAYS_MS = [100, 400];

export interface CompareAndSet {
  write: DatabaseWrite;
  id: ObjectId;
  /** Besides `_id`: what must still hold. */
  expected: Document;
  update: Document[];
  /** Fields that `landed` reads. */
  projection: Document;
  /** Is this the document as the update leaves it? Asked when an answer was lost. */
  landed: (document: Document) => boolean;
  /**
   * An earlier call with it got no answer: a condition that no
   * longer holds may be this operation's own doing.
   */
  repeated?: boolean;
}

/**
 * Carries out one conditional update exactly once: true if it is in the database, false if the
 * condition no longer held. A write whose answer was lost may have landed, so the document is read
 * before anything is decided; the condition makes the second try harmless.
 */
export async function compareAndSet(
  collection: Collection,
  operation: CompareAndSet,
): Promise<boolean> {
  assertThat(
    (operation.id as unknown) !== undefined && Object.keys(operation.expected).length > 0,
    () => `the write ${operation.write} names no document, or no condition`,
  );
  // In this order: some servers take the first field for which there is an index.
  const filter = { _id: operation.id, ...operation.expected };
  let uncertain = false;
  for (let attempt = 0; ; attempt++) {
    let failure: StoreError | null = null;
    try {
      if ((await collection.updateOne(operation.write, filter, operation.update)) === 1)
        return true;
      if (!uncertain && operation.repeated !== true) return false;
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      failure = error;
      if (!failure.uncertain && !failure.transient) throw failure;
      uncertain ||= failure.uncertain;
    }
    const [document] = await collection.find(
      { _id: operation.id },
      { projection: operation.projection, limit: 1 },
    );
    if (document !== undefined && operation.landed(document)) return true;
    if (failure === null) return false;
    const wait = RETRY_DELAYS_MS[attempt];
    if (wait === undefined) throw failure;
    await collection.pause(wait);
  }
}
