import { join } from 'node:path';

import { FileTail } from '../../infra/disk/tail.ts';
import { progressSchema } from '../attempt.pure.ts';

/** Series of one attempt; all of the same length. */
export interface ProgressPoints {
  /** Seconds since the child's start. */
  t: number[];
  /** Detector time read. */
  coveredSeconds: number[];
  memoryBytes: number[];
  bytes: number[];
}

/** What `progress.ndjson` says, thinned evenly to at most `most` points; the last one stays. */
export async function readProgressPoints(directory: string, most: number): Promise<ProgressPoints> {
  const tail = new FileTail(join(directory, 'progress.ndjson'));
  const rows: { t: number; coveredSeconds: number; memoryBytes: number; bytes: number }[] = [];
  try {
    for (const line of await tail.readLines()) {
      const parsed = progressSchema.safeParse(parse(line)).data;
      if (parsed !== undefined) rows.push(parsed);
    }
  } finally {
    await tail.close();
  }
  const step = Math.max(1, Math.ceil(rows.length / most));
  const kept = rows.filter((_, i) => (rows.length - 1 - i) % step === 0);
  return {
    t: kept.map(({ t }) => t),
    coveredSeconds: kept.map(({ coveredSeconds }) => coveredSeconds),
    memoryBytes: kept.map(({ memoryBytes }) => memoryBytes),
    bytes: kept.map(({ bytes }) => bytes),
  };
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}
