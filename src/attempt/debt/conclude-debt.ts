import type { Plan, Progress, Result } from '../attempt.pure.ts';
import { causeText, causeOf } from '../../retry/causes.pure.ts';
import { fingerprint } from '../../retry/fingerprint.pure.ts';
import type { Run } from '../../run/run.pure.ts';
import { unpublished, type ChildOutcome } from '../outcome.pure.ts';
import type { AttemptOutcome } from '../../retry/attempt-history.port.ts';
import type { DebtNote } from './debt.port.ts';
import type { Fence } from '../../run/run.port.ts';
import type { ConcludingSteps } from '../conclude-attempt.ts';
import { closeAttempt } from '../close-attempt.ts';
import { registration } from '../conclusion.ts';
import { publish } from '../publication.ts';
import { clearAdded } from './debt-folders.ts';
import { unlessDiskTrouble } from '../../ports/disk-trouble.ts';
import type { Environment } from '../../ports/environment.ts';
import { endHistory } from '../../retry/attempt-history.ts';
import { untilWritten } from '../../ports/persist.ts';
import { planSummary } from '../../plan/plan-summary.ts';
import { tellDaq } from '../../ports/notify.ts';

/** What is known of an attempt at a debt when it is settled. */
export interface DebtSoFar {
  run: Run;
  fence: Fence;
  /** The attempt that left the debt. */
  debtor: string;
  plan: Plan | null;
  result: Result | null;
  progress: Progress | null;
  seconds: number | null;
  peakMemoryBytes: number | null;
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
  const { run, fence, plan } = attempt;
  const { signal } = steps;
  const note = (each: ChildOutcome) =>
    endHistory(env, fence.attempt, historyOf(env, attempt, each), {}, signal);
  if (!(await note(outcome))) return;
  const ended = await published(env, attempt, outcome, steps);
  if (ended === null || (ended !== outcome && !(await note(ended)))) return;
  steps.enter('concluding');
  const paid = ended.kind === 'done' && (await pay(env, attempt, signal));
  if (signal.aborted) return;
  if (!paid) await takeBack(env, attempt, ended, signal);
  if (signal.aborted) return;
  await untilWritten(env, `the debt of run ${run.number}`, signal, () =>
    env.store.debts.note(attempt.debtor, noteOf(ended, paid)),
  );
  if (signal.aborted) return;
  await report(env, attempt, ended, paid);
  if (plan === null) return;
  await unlessDiskTrouble(env, `clean up after run ${run.number}`, () => closeAttempt(env, plan));
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
  const publication = await publish(env, plan, result.products, mark, signal);
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
  const superseded = historyOf(env, attempt, { kind: 'superseded' });
  await endHistory(env, fence.attempt, superseded, {}, signal);
  return false;
}

/** Folders first: the run is handed on as it was. */
async function takeBack(
  env: Environment,
  { run, fence, plan }: DebtSoFar,
  outcome: ChildOutcome,
  signal: AbortSignal,
): Promise<void> {
  if (plan !== null) {
    if (outcome.kind === 'superseded') {
      await unlessDiskTrouble(env, `note that run ${run.number} is lost`, () =>
        env.attempts.markSuperseded(env.attempts.directoryOf(fence.attempt)),
      );
    }
    await unlessDiskTrouble(env, `clean up after run ${run.number}`, () =>
      clearAdded(env, plan, 'take_back', signal),
    );
  }
  await untilWritten(env, `run ${run.number}`, signal, async () => {
    await env.store.debts.giveBack(fence);
    return true;
  });
}

/** Ended for another's sake it is due again; what failed waits for a person. */
function noteOf(outcome: ChildOutcome, paid: boolean): Partial<DebtNote> {
  if (paid) return { paid: true, offered: false, reason: null };
  if (outcome.kind !== 'failed') return { reason: 'somebody has gone on with the run' };
  const { reason, fault } = outcome;
  return { reason, offered: fault !== 'run' };
}

function historyOf(env: Environment, attempt: DebtSoFar, outcome: ChildOutcome): AttemptOutcome {
  const { plan, result, progress, seconds, peakMemoryBytes } = attempt;
  const common = {
    counted: false,
    seconds,
    peakMemoryBytes,
    bytes: progress?.bytes ?? null,
    chunks: progress?.chunks ?? null,
    dropped: plan?.dropped ?? [],
    products: (result?.products ?? []).map(({ lineage, ...product }) => product),
    versions: result?.versions ?? env.executor.versions(),
  };
  const empty = { reason: null, traceback: null, fingerprint: null, plugin: null, meaning: null };
  switch (outcome.kind) {
    case 'done':
      return { ...common, ...empty, outcome: 'done', cause: 'finished' };
    case 'superseded':
      return {
        ...common,
        ...empty,
        outcome: 'superseded',
        cause: null,
        reason: 'somebody has gone on with the run',
      };
    case 'failed': {
      const { cause, traceback, shortOf = null, reason, culprit } = outcome;
      const meaning = causeOf({ cause, traceback, shortOf, progress }, env.rules.targets);
      return {
        ...common,
        outcome: 'failed',
        cause: cause.kind,
        meaning,
        reason,
        traceback: traceback === '' ? null : traceback,
        fingerprint: fingerprint(cause, traceback, reason),
        plugin: culprit,
      };
    }
  }
}

async function report(
  env: Environment,
  { run, fence, plan, result, progress }: DebtSoFar,
  outcome: ChildOutcome,
  paid: boolean,
): Promise<void> {
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
  const { cause, traceback, shortOf = null, reason } = outcome;
  const meaning = causeOf({ cause, traceback, shortOf, progress }, env.rules.targets);
  const message = `${stays}; what it lacks could not be made, ${causeText(meaning)}: ${reason}`;
  env.log.warn({ ...line, targets: plan?.targets ?? [] }, message);
  await tellDaq(env, 'warning', message, number);
}
