/** A context that cannot be built is tried again this often, seconds: its cause is elsewhere. */
export const CONTEXT_RETRY_SECONDS = 30;

/** A server that lived this long after it was ready counts as healthy, seconds. */
export const HEALTHY_SECONDS = 60;

const MAX_BACKOFF_SECONDS = 60;

/** Wait before the next start after `deaths` unexpected ends in a row, seconds: 1, 2, 4 ... 60. */
export function backoffSeconds(deaths: number): number {
  return Math.min(MAX_BACKOFF_SECONDS, 2 ** Math.max(0, deaths - 1));
}
