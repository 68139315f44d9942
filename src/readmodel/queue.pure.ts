/** The part of a waiting run that the queue uses. */
export interface Waiting {
  run: number | null;
  start: Date | null;
  held: boolean;
  /** Null for runs that no host has claimed yet. */
  nextRetry: Date | null;
}

/** The runs that wait for a host. Times are ISO 8601, UTC. */
export interface Queue {
  /** New runs that can be claimed. */
  fresh: number;
  held: number;
  /** Failed runs whose next attempt is due. */
  due: number;
  /** Failed runs that wait for their next attempt. */
  later: number;
  /** The new run that began first. */
  oldest: { run: number | null; start: string } | null;
  /** The retry that is due next. */
  next: { run: number | null; at: string } | null;
  /** There are more runs than were counted. */
  atLeast: boolean;
}

/** Counts new runs and failed ones that will be tried again. */
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
