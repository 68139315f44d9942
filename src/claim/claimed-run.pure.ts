import type { StoredRun } from '../run/stored-run.pure.ts';

/**
 * Whether the attempt named in a claimed run was the last to write it. The reference claims a run by
 * rewriting the whole sub-document: it copies fields that it does not know, the attempt among them, but
 * writes a time of its own. So our writes carry the time twice. Releases before 0.1.1 wrote it once:
 * their writes cannot be told apart.
 *
 * The reference claims in two writes, and the first sets only the state. Our claim removes the plan and
 * `busy` sets it: a run that is `considering` and has a plan was claimed by the reference.
 */
export function isAsItsAttemptLeftIt({ bootstrax, own }: StoredRun): boolean {
  const { state, time } = bootstrax;
  if (state === 'considering' && own.plan !== null) return false;
  if (own.attemptTime === null) return true;
  const { at } = own.attemptTime;
  return time !== null && at !== null && time.getTime() === at.getTime();
}
