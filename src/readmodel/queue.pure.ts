/** A waiting run, as far as the queue looks at it. */
export interface Waiting {
  run: number | null;
  start: Date | null;
  held: boolean;
  /** Null for untouched runs. */
  nextRetry: Date | null;
}

/** What waits for a host. Times ISO 8601, UTC. */
export interface Queue {
  /** Untouched and free to be taken. */
  fresh: number;
  held: number;
  /** Failed, to be tried again now. */
  due: number;
  /** Failed, to be tried again later. */
  later: number;
  /** Of the untouched runs, the one begun first. */
  oldest: { run: number | null; start: string } | null;
  /** The next retry that is to come. */
  next: { run: number | null; at: string } | null;
  /** There are more than were counted. */
  atLeast: boolean;
}

/** Sums up untouched runs and failed ones that will be tried again. */
export function queueOf(
  untouched: readonly Waiting[],
  failed: readonly Waiting[],
  atLeast: boolean,
  now: Date,
): Queue {
  const free = untouched.filter(({ held }) => !held);
  const retries = failed.filter(({ held, nextRetry }) => !held && nextRetry !== null);
  const later = retries.filter(({ nextRetry }) => nextRetry! > now);
  const oldest = first(free, ({ start }) => start);
  const next = first(later, ({ nextRetry }) => nextRetry);
  return {
    fresh: free.length,
    held: [...untouched, ...failed].filter(({ held }) => held).length,
    due: retries.length - later.length,
    later: later.length,
    oldest: oldest && { run: oldest.of.run, start: oldest.date.toISOString() },
    next: next && { run: next.of.run, at: next.date.toISOString() },
    atLeast,
  };
}

function first(list: readonly Waiting[], dateOf: (of: Waiting) => Date | null) {
  return list.reduce<{ of: Waiting; date: Date } | null>((least, of) => {
    const date = dateOf(of);
    return date !== null && (least === null || date < least.date) ? { of, date } : least;
  }, null);
}
