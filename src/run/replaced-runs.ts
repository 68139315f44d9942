import { createHash } from 'node:crypto';
import { BSON, type Document } from 'mongodb';

import { fieldsOf } from '../infra/values/bson-values.pure.ts';

/** Only runs held by other programs are replaced as a whole again and again: they are few. */
const MOST_RUNS = 1000;

/** The fields of a replaced document that the program reads; lineages stay in the database. */
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
 * Some programs replace the whole document for each heartbeat. Such an event does not name the changed
 * fields, so the document is compared with the last one.
 */
export class ReplacedRuns {
  readonly #last = new Map<string, string>();

  /** Whether an event changes more than the heartbeat. Events must come in the order of the stream. */
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

  /** To be called when events may have been missed. */
  forget(): void {
    this.#last.clear();
  }
}

/** Hash of a document without its heartbeat. */
function digest(document: Document | undefined): string {
  const { time: _time, progress: _progress, ...rest } = fieldsOf(document?.['bootstrax']);
  const text = BSON.EJSON.stringify({ ...document, bootstrax: rest });
  return createHash('sha256').update(text).digest('base64');
}
