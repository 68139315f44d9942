import type { Document } from 'mongodb';

import { readRun } from './run.pure.ts';
import type { RunDocument, Seen } from './run-document.port.ts';

/** Results of a query of the runs collection, which only `readRun` can open. */
export function storedRuns(found: readonly Document[]): RunDocument[] {
  return found as unknown as RunDocument[];
}

/** The ownership of a run as this document shows it. */
export function seenOf(document: RunDocument): Seen {
  return { id: document._id, ...readRun(document).ownership };
}
