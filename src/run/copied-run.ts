import type { Document } from 'mongodb';

import { fieldsOf } from '../infra/values/bson-values.pure.ts';
import type { RunDocument } from './run-document.port.ts';

/** The same run as a new one: without state, status and tags; `data` keeps its live entries. */
export function asNewRun(document: RunDocument): Document {
  const { bootstrax, status, tags, data, deleted_data, ...facts } = fieldsOf(document);
  const live = Array.isArray(data) ? data.filter((entry) => fieldsOf(entry).type === 'live') : data;
  return { ...facts, ...(Array.isArray(data) ? { data: live } : {}), bootstrax: { state: null } };
}

/** What the DAQ writes into a run's document later: its end, and its rate if it has one. */
export function laterFields(document: RunDocument): Document {
  const { end, rate } = fieldsOf(document);
  return { end, ...(rate === undefined ? {} : { rate }) };
}
