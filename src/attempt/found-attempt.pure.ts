import { isAsItsAttemptLeftIt } from '../claim/claimed-run.pure.ts';
import { checkRun, type Run } from '../run/run.pure.ts';
import type { StoredRun } from '../run/stored-run.pure.ts';
import type { Plan } from './attempt.pure.ts';
import { debtFacts } from './debt/debt.pure.ts';

/** What a manager finds of an attempt that an earlier one of its host has begun. */
export type Found =
  /** Its run is still its own: it goes on. `debtor`: of a debt, the attempt that has left it. */
  | { kind: 'own'; run: Run; debtor: string | null }
  /** Its run is not, or was never begun: nothing of it goes on. */
  | { kind: 'dead' };

/** Does the run of this document still belong to this attempt? */
export function foundIn(
  stored: StoredRun,
  { attempt, keep, executor }: Pick<Plan, 'attempt' | 'keep' | 'executor'>,
  host: string,
): Found {
  const parsed = checkRun(stored);
  if (parsed.kind !== 'run') return { kind: 'dead' };
  const { run } = parsed;
  if (keep != null) {
    const { state, host: holder, debtAttempt, lastAttempt: debtor } = debtFacts(stored);
    const isOwn = state === 'done' && holder === host && debtAttempt === attempt;
    return isOwn && debtor !== null ? { kind: 'own', run, debtor } : { kind: 'dead' };
  }
  const { state, host: holder, attempt: claimed } = stored.bootstrax;
  // What the reference has gone on with is its own, although it copies the attempt along.
  const isOwn = claimed === attempt && holder === host && isAsItsAttemptLeftIt(stored);
  // A job has the run from its submission on, and the run is busy only once it has a place.
  const mayWait = executor === 'slurm' && state === 'considering';
  return isOwn && (state === 'busy' || mayWait)
    ? { kind: 'own', run, debtor: null }
    : { kind: 'dead' };
}
