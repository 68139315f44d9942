import type { Document } from 'mongodb';

import { applyPipeline } from '../../simulation/store/engine.ts';
import { fromCaller, settle } from '../../simulation/store/values.ts';

type Fields = Record<string, unknown>;

/** The database's time in these tests. */
export const NOW = new Date('2026-03-04T05:06:07.890Z');

/** What an update pipeline leaves of a document. */
export function updated(document: Fields, pipeline: Document[]): Fields {
  const before = fromCaller(document) as Fields;
  return settle(applyPipeline(before, fromCaller(pipeline) as Document[], NOW.getTime())) as Fields;
}
