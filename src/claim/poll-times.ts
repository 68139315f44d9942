/** When the queue was polled, and when the next poll is due; monotonic seconds. */
export interface PollTimes {
  /** Time of the last poll. */
  polledAt: number;
  /** When the next poll is due without an answer of the change stream; -Infinity: at once. */
  pollAt: number;
  /** There was no candidate. Else time alone may change a decision. */
  quiet: boolean;
  /** When the first waiting run falls due. */
  dueAt: number;
  /** Time of the last answer of the change stream. */
  heardAt: number;
}

/**
 * Beside a change stream that answers, a host polls only once in so many intervals: a run that no answer
 * names has not changed.
 */
export const SELDOM = 6;

/** When to poll again if nothing changes: an interval after the last answer, within a limit. */
export function nextPoll(times: PollTimes, intervalSeconds: number): number {
  const { polledAt, pollAt, quiet, dueAt, heardAt } = times;
  if (pollAt === -Infinity || !quiet) return Math.min(pollAt, dueAt);
  const heard = Math.min(heardAt + intervalSeconds, polledAt + SELDOM * intervalSeconds);
  return Math.min(Math.max(pollAt, heard), dueAt);
}
