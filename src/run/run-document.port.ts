import type { ObjectId } from 'mongodb';

import type { Ownership } from './stored-run.pure.ts';

declare const stored: unique symbol;

/**
 * A run document as stored, projected to the fields the program reads (`RUN_PROJECTION`). Untrusted,
 * and therefore closed: `readRun` alone reads its fields.
 */
export interface RunDocument {
  readonly _id: ObjectId;
  readonly [stored]: true;
}

/** A compare-and-set against it fails if anything of the ownership has changed since it was read. */
export interface Seen extends Ownership {
  id: ObjectId;
  /** Whether it carried the tag `hold-processing`, where that matters. */
  held?: boolean;
}
