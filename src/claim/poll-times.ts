/** When the queue was looked at, and what is known of when it is to be again; monotonic seconds. */
export interface LookTimes {
  /** Of the last look. */
  lookedAt: number;
  /** The next one is due then if nothing is heard; -Infinity: at once. */
  lookAt: number;
  /** There was nothing to look at: else what has not changed may be judged in another way by and by. */
  quiet: boolean;
  /** A run that waits falls due then. */
  dueAt: number;
  /** The change stream was answered last then. */
  heardAt: number;
}

/**
 * Beside a change stream that answers the host whose turn it is looks once in so many intervals, and
 * the others in any case: what an answer does not tell of has not changed.
 */
export const SELDOM = 6;

/** When to look again if nothing changes: an interval after the last answer, but not never. */
export function nextLook(times: LookTimes, intervalSeconds: number): number {
  const { lookedAt, lookAt, quiet, dueAt, heardAt } = times;
  if (lookAt === -Infinity || !quiet) return Math.min(lookAt, dueAt);
  const heard = Math.min(heardAt + intervalSeconds, lookedAt + SELDOM * intervalSeconds);
  return Math.min(Math.max(lookAt, heard), dueAt);
}
