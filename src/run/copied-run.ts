import type { Document } from 'mongodb';

import { fieldsOf } from '../infra/values/bson-values.pure.ts';
import type { RunDocument } from './run-document.port.ts';

/** A copy of the run as a new run: without state, status and tags; `data` keeps its live entries. */
export function asNewRun(document: RunDocument): Document {
  const { bootstrax, status, tags, data, deleted_data, ...facts } = fieldsOf(document);
  const live = Array.isArray(data) ? data.filter((entry) => fieldsOf(entry).type === 'live') : data;
  return { ...facts, ...(Array.isArray(data) ? { data: live } : {}), bootstrax: { state: null } };
}

/** Fields that the DAQ writes later into a run document: the end, and the rate if there is one. */
export function laterFields(document: RunDocument): Document {
  const { end, rate } = fieldsOf(document);
  return { end, ...(rate === undefined ? {} : { rate }) };
}
