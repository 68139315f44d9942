import type { RunDocument, Seen } from './types.ts';

/** Counts of the queue stop here: more is shown as "at least". */
export const QUEUE_COUNT_LIMIT = 1000;

/** The ownership of a run as this document shows it. */
export declare function seenOf(document: RunDocument): Seen;
