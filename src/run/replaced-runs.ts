import { createHash } from 'node:crypto';

import { BSON, type Document } from 'mongodb';

import { fieldsOf } from '../infra/values/bson-values.pure.ts';

/** Runs that are replaced as a whole all the time are few: those that other programs hold. */
const MOST_RUNS = 1000;

/** Of a replaced document, what the program reads; lineages stay in the database. */
export const REPLACED_PROJECTION = {
  'fullDocument.number': 1,
  'fullDocument.start': 1,
  'fullDocument.end': 1,
  'fullDocument.status': 1,
  'fullDocument.mode': 1,
  'fullDocument.detectors': 1,
  'fullDocument.tags': 1,
  'fullDocument.bootstrax': 1,
  'fullDocument.data.type': 1,
  'fullDocument.data.host': 1,
  'fullDocument.data.location': 1,
} as const;

/**
 * Programs that write a run as a whole do so for each heartbeat too. Such an event does not say what
 * it has changed: it is compared with the last one.
 */
export class ReplacedRuns {
  readonly #last = new Map<string, string>();

  /** Whether an event says more than that somebody is alive; in the order of the stream. */
  isNews(event: Document): boolean {
    const { operationType, documentKey, fullDocument } = event;
    const key = String((documentKey as Document | undefined)?._id);
    const before = this.#last.get(key);
    this.#last.delete(key);
    if (operationType !== 'replace') return true;
    const now = digest(fullDocument as Document | undefined);
    this.#last.set(key, now);
    const [oldest] = this.#last.keys();
    if (this.#last.size > MOST_RUNS && oldest !== undefined) this.#last.delete(oldest);
    return before !== now;
  }

  /** Events may have been missed. */
  forget(): void {
    this.#last.clear();
  }
}

/** Without the heartbeats. */
function digest(document: Document | undefined): string {
  const { time: _time, progress: _progress, ...rest } = fieldsOf(document?.['bootstrax']);
  const text = BSON.EJSON.stringify({ ...document, bootstrax: rest });
  return createHash('sha256').update(text).digest('base64');
}
