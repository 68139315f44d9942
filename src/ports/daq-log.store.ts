import { type Document, ObjectId } from 'mongodb';

import type { Collection } from '../infra/mongo/collection.ts';
import type { DaqLogStore, LogPriority } from './daq.port.ts';

export const LOG_COLLECTION = 'log';

const PRIORITIES: Record<LogPriority, number> = {
  debug: 0,
  info: 1,
  warning: 2,
  error: 3,
  fatal: 4,
};

/** No date field: readers take the time from `_id`. */
export function logDocument(entry: Parameters<DaqLogStore['write']>[0]): Document {
  return {
    message: entry.message,
    user: `bootstrax_${entry.host}`,
    priority: PRIORITIES[entry.priority],
    ...(entry.run === undefined ? {} : { runid: entry.run }),
  };
}

export function createDaqLogStore(log: Collection): DaqLogStore {
  return {
    write: (entry) =>
      log.insertOne('daq_log.write', { _id: new ObjectId(), ...logDocument(entry) }),
  };
}
