/** A context that cannot be built is tried again this often, seconds: its cause is elsewhere. */
export const CONTEXT_RETRY_SECONDS = 30;

/** A server that lived this long after it was ready counts as healthy. */
export const HEALTHY_SECONDS = 60;

const MAX_BACKOFF_SECONDS = 60;

/** Wait before the next start after `deaths` unexpected ends in a row, seconds: 1, 2, 4 ... 60. */
export function backoffSeconds(deaths: number): number {
  return Math.min(MAX_BACKOFF_SECONDS, 2 ** Math.max(0, deaths - 1));
}

/** A worker that warms up for longer may never come up: no run waits for it any more. */
const WARM_UP_LIMIT_SECONDS = 600;

/** What is wrong with a worker that has been warming up for this time; null: nothing. */
export function warmUpProblem(seconds: number): string | null {
  if (seconds <= WARM_UP_LIMIT_SECONDS) return null;
  return `the worker has been warming up for more than ${WARM_UP_LIMIT_SECONDS / 60} min, see its log; if it hangs, restart the manager`;
}
