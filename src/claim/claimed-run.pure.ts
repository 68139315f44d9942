import type { StoredRun } from '../run/stored-run.pure.ts';

/**
 * Is a claimed run's document as the attempt named in it has left it? The reference takes a run by
 * rewriting the whole sub-document: it copies the fields that it does not know, an attempt's id and
 * host among them, but writes a time of its own. So our writes give that time twice. Releases before
 * 0.1.1 gave it once: of theirs nothing can be told.
 *
 * The reference claims in two writes, of which the first sets the state alone. A claim of ours removes
 * the plan and `busy` sets it: a run that is `considering` and has a plan was claimed by another.
 */
export function isAsItsAttemptLeftIt({ bootstrax, own }: StoredRun): boolean {
  const { state, time } = bootstrax;
  if (state === 'considering' && own.plan !== null) return false;
  if (own.attemptTime === null) return true;
  const { at } = own.attemptTime;
  return time !== null && at !== null && time.getTime() === at.getTime();
}
