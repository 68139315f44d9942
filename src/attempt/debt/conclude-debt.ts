import { isAborted } from '../../infra/concurrency/is-aborted.ts';
import { planSummary } from '../../plan/plan-summary.ts';
import type { Environment } from '../../ports/environment.ts';
import { tellDaq } from '../../ports/notify.ts';
import { untilWritten } from '../../ports/persist.ts';
import type { StoredOutcome } from '../../retry/attempt-history.port.ts';
import { endHistory } from '../../retry/attempt-history.ts';
import { causeText } from '../../retry/causes.pure.ts';
import type { Fence } from '../../run/run.port.ts';
import type { Run } from '../../run/run.pure.ts';
import type { Trace } from '../attempt-phases.pure.ts';
import type { AttemptFigures, ConcludingSteps } from '../attempt-policy.ts';
import { registration } from '../conclusion.ts';
import { causeOfFailure, failureInHistory, historyOf } from '../ended-attempt.ts';
import { type ChildOutcome, unpublished } from '../outcome.pure.ts';
import { publish } from '../publication.ts';
import { remainsOf, takeBack } from '../take-back.ts';
import type { DebtNote } from './debt.port.ts';
import { DEBT_KIND } from './debt-kind.ts';

/** What an attempt has added to a done run, and the hold that it has on it. */
const ADDED: readonly Trace[] = ['folders', 'claim'];

/** What is known of an attempt at a debt when it is concluded. */
export interface DebtSoFar extends AttemptFigures {
  run: Run;
  fence: Fence;
  /** The attempt that left the debt. */
  debtor: string;
}

/**
 * Brings an attempt at a debt to its end: history, publication, run document, folders, note of the
 * debt, attempt directory; it may be cut anywhere. Whatever happens, the run is done.
 */
export async function concludeDebt(
  env: Environment,
  attempt: DebtSoFar,
  outcome: ChildOutcome,
  steps: ConcludingSteps,
): Promise<void> {
  const { run, fence } = attempt;
  const { signal } = steps;
  const note = (each: ChildOutcome) =>
    endHistory(env, fence.attempt, { outcome: inHistory(env, attempt, each) }, signal);
  if (!(await note(outcome))) return;
  const ended = await published(env, attempt, outcome, steps);
  if (ended === null || (ended !== outcome && !(await note(ended)))) return;
  if (ended.kind === 'done') steps.enter('concluding');
  const paid = ended.kind === 'done' && (await pay(env, attempt, signal));
  if (isAborted(signal)) return;
  const remains = remainsOf(env, attempt, {});
  let isComplete = true;
  if (!paid) {
    steps.enter('taking_back');
    // Who goes on with the run sees to its processes; the history has been written.
    const traces = ended.kind === 'superseded' ? (['processes', ...ADDED] as const) : ADDED;
    const taken = await takeBack(env, DEBT_KIND.undoing, { remains, traces }, signal);
    if (taken === null) return;
    isComplete = taken.isComplete;
  }
  await untilWritten(env, `the debt of run ${run.number}`, signal, () =>
    env.store.debts.note(attempt.debtor, noteOf(ended, paid)),
  );
  if (isAborted(signal)) return;
  await report(env, attempt, ended, paid);
  if (isComplete) await takeBack(env, DEBT_KIND.undoing, { remains, traces: ['place'] }, signal);
}

/** The outcome once what was made has its place; null if `signal` ended the waiting. */
async function published(
  env: Environment,
  { run, plan, result }: DebtSoFar,
  outcome: ChildOutcome,
  { enter, mark, signal }: ConcludingSteps,
): Promise<ChildOutcome | null> {
  if (outcome.kind !== 'done' || plan === null || result === null) return outcome;
  enter('publishing');
  const publication = await publish(env, plan, result.products, { mark, signal });
  switch (publication.kind) {
    case 'published':
      return outcome;
    case 'superseded':
      return publication;
    case 'impossible':
      return unpublished(run.number, publication.reason);
    case 'stopped':
      return null;
  }
}

/** False if somebody has gone on with the run meanwhile: then nothing is added to it. */
async function pay(env: Environment, attempt: DebtSoFar, signal: AbortSignal): Promise<boolean> {
  const { run, fence, plan, result } = attempt;
  if (plan === null || result === null) return false;
  const register = result.products.map(registration);
  const landed = await untilWritten(env, `the outcome of run ${run.number}`, signal, (again) =>
    env.store.debts.pay(fence, { register, plan: planSummary(plan) }, again),
  );
  if (landed !== 'superseded') return landed === 'landed';
  // What is written there was decided here, and did not come about.
  const superseded = inHistory(env, attempt, { kind: 'superseded' });
  await endHistory(env, fence.attempt, { outcome: superseded }, signal);
  return false;
}

/** Ended for another's sake it is due again; what failed waits for a person. */
function noteOf(outcome: ChildOutcome, paid: boolean): Partial<DebtNote> {
  if (paid) return { paid: true, offered: false, reason: null };
  if (outcome.kind !== 'failed') return { reason: 'somebody has gone on with the run' };
  const { reason, fault } = outcome;
  return { reason, offered: fault !== 'run' };
}

function inHistory(env: Environment, attempt: DebtSoFar, outcome: ChildOutcome): StoredOutcome {
  const end = { outcome: outcome.kind, counted: false };
  switch (outcome.kind) {
    case 'done':
      return historyOf(env, attempt, { ...end, reason: null });
    case 'superseded':
      return historyOf(env, attempt, { ...end, reason: 'somebody has gone on with the run' });
    case 'failed':
      return {
        ...historyOf(env, attempt, { ...end, reason: outcome.reason }),
        ...failureInHistory(outcome),
        meaning: causeOfFailure(env, attempt, outcome),
        plugin: outcome.culprit,
      };
  }
}

async function report(
  env: Environment,
  attempt: DebtSoFar,
  outcome: ChildOutcome,
  paid: boolean,
): Promise<void> {
  const { run, fence, plan, result } = attempt;
  const { number } = run;
  const line = { event: 'debt.ended', run: number, attempt: fence.attempt, paid };
  if (paid) {
    const types = (result?.products ?? []).map(({ type }) => type).join(', ');
    const message = `run ${number} has all its targets now: ${types === '' ? 'they were there' : types} added`;
    env.log.info(line, message);
    await tellDaq(env, 'info', message, number);
    return;
  }
  const stays = `run ${number} stays done with what it had`;
  if (outcome.kind !== 'failed') {
    env.log.warn(line, `${stays}: somebody has gone on with it while more was being made`);
    return;
  }
  const meaning = causeOfFailure(env, attempt, outcome);
  const message = `${stays}; what it lacks could not be made, ${causeText(meaning)}: ${outcome.reason}`;
  env.log.warn({ ...line, targets: plan?.targets ?? [] }, message);
  await tellDaq(env, 'warning', message, number);
}
