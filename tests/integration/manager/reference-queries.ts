import type { Collection, Document } from 'mongodb';

/** Its limits, seconds. */
const LIMITS = { considering: 60, busy: 120, abandon: 24 * 3600 };

/** Numbers of the runs that each query of straxen's bootstrax.py finds at a time. */
export interface Claims {
  fresh: number[];
  retry: number[];
  /** Considering or busy without a sign of life. */
  stale: number[];
  /** Done without an end, or without a product. */
  bad: number[];
  abandon: number[];
}

/** The filters of the reference (its claims and its clean-up), as data. */
export function referenceFilters(now: Date): Record<keyof Claims, Document[]> {
  const ago = (seconds: number) => new Date(now.getTime() - seconds * 1000);
  const unsigned = (state: 'considering' | 'busy') => ({
    'bootstrax.state': state,
    'bootstrax.time': { $lt: ago(LIMITS[state]) },
  });
  return {
    fresh: [{ 'bootstrax.state': null, 'tags.name': { $ne: 'hold-processing' } }],
    retry: [
      {
        'bootstrax.state': 'failed',
        'bootstrax.n_failures': { $lt: 10 },
        'bootstrax.next_retry': { $lt: now },
      },
    ],
    stale: [unsigned('considering'), unsigned('busy')],
    bad: [
      { 'bootstrax.state': 'done', end: null },
      { 'bootstrax.state': 'done', data: { $not: { $elemMatch: { type: { $ne: 'live' } } } } },
    ],
    abandon: [
      { 'tags.name': 'abandon', 'bootstrax.state': 'done', start: { $gt: ago(LIMITS.abandon) } },
      { 'tags.name': 'abandon', 'bootstrax.state': 'failed' },
    ],
  };
}

export async function claims(
  runs: { find: (filter: Document) => { toArray: () => Promise<Document[]> } },
  now: Date,
): Promise<Claims> {
  const found: Claims = { fresh: [], retry: [], stale: [], bad: [], abandon: [] };
  for (const [name, filters] of Object.entries(referenceFilters(now))) {
    for (const filter of filters) {
      for (const { number } of await runs.find(filter).toArray()) {
        found[name as keyof Claims].push(number as number);
      }
    }
  }
  return found;
}

/**
 * Numbers of processes that the reference would kill at its start on this host, whoever has them by
 * then. (It raises on what is no number, and leaves 0 alone.)
 */
export async function killsAtStart(ebMonitor: Collection, host: string): Promise<unknown[]> {
  const others = await ebMonitor.find({ host, pid: { $ne: process.pid } }).toArray();
  return [...new Set(others.map(({ pid }) => pid as unknown))].filter((pid) => pid !== 0);
}
