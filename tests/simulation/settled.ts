import type { Document } from 'mongodb';

import { parseRun } from '../../src/run/run.pure.ts';
import { ABANDON_TAG, HOLD_TAG } from '../../src/run/run-tags.pure.ts';
import { fieldsOf } from './invariants.ts';
import type { Lacks } from './live-files.ts';

export interface Settling {
  maxFailures: number;
  /** Others have its number. */
  shared: boolean;
  /** A person may have called it done, or its data was lost since: it is handed on by nobody then. */
  byHand: boolean;
}

/** Whether a run needs nobody any more, or only a person. */
export function isSettled(document: Document, { maxFailures, shared, byHand }: Settling): boolean {
  const parsed = parseRun(document);
  const { bootstrax, tags } = parsed.kind === 'run' ? parsed.run : parsed.malformed;
  // Data is deleted by the number: while it is shared nothing is abandoned but by a person.
  const waitsForPerson = tags.includes(ABANDON_TAG) && shared;
  const tagged = tags.includes(ABANDON_TAG) && !shared;
  switch (bootstrax.state) {
    case 'done':
      return (byHand || isKeptBack(document) || hasStatus(document)) && !tagged;
    case 'abandoned':
      return true;
    case 'failed':
      if (waitsForPerson) return true;
      if (tagged) return false;
      return (
        bootstrax.failures >= maxFailures ||
        tags.includes(HOLD_TAG) ||
        // Set aside: without a time for another try nobody takes it.
        (bootstrax.outcome === 'set_aside' && bootstrax.nextRetry === null)
      );
    case null:
      if (waitsForPerson) return true;
      return !tagged && tags.includes(HOLD_TAG);
    case 'considering':
    case 'busy':
      return false;
  }
}

function hasStatus({ status }: Document): boolean {
  return status !== null && status !== undefined;
}

/** Its data lacks what might still be rescued: a person hands it on. */
function isKeptBack(document: Document): boolean {
  const { unreadable = 0 } = (fieldsOf(document).incomplete ?? {}) as Partial<Lacks>;
  return unreadable > 0;
}
