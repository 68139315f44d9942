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

/** The ownership as it was read. A compare-and-set against it fails if any of it has changed. */
export interface Seen extends Ownership {
  id: ObjectId;
  /** Whether the run had the tag `hold-processing`; absent where that does not matter. */
  held?: boolean;
}
