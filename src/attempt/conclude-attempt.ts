import { assertThat } from '../infra/values/assertion.pure.ts';
import { unlessDiskTrouble } from '../ports/disk-trouble.ts';
import type { Environment } from '../ports/environment.ts';
import { tellDaq } from '../ports/notify.ts';
import type { StoredOutcome } from '../retry/attempt-history.port.ts';
import { endHistory } from '../retry/attempt-history.ts';
import type { Conclusion } from '../run/run.port.ts';
import type { Run } from '../run/run.pure.ts';
import { FINISHED_STATUS } from '../run/run-updates.ts';
import type { Trace } from './attempt-phases.pure.ts';
import type { ConcludingSteps } from './attempt-policy.ts';
import { concludeAsFits } from './conclude-run.ts';
import type { AttemptSoFar, Decided } from './conclusion.ts';
import {
  conclusionOf,
  conclusionOfUnpublished,
  keepsProducts,
  setAsideInstead,
} from './conclusion.ts';
import { inputNotices } from './live-input.pure.ts';
import { wipeOnlineMonitor } from './online-monitor.ts';
import type { Outcome } from './outcome.pure.ts';
import { bringBackReplaced, type Publication, publish } from './publication.ts';
import { removeReplaced } from './replaced-products.ts';
import { requestDeletion } from './request-deletion.ts';
import { RUN_KIND } from './run-kind.ts';
import { takeBackSuperseded } from './superseded-attempt.ts';
import { remainsOf, takeBack } from './take-back.ts';

/**
 * Brings an attempt to its end in the databases and on the disk, in an order that may be cut
 * anywhere: history, run document (one update), folders, attempt directory. Waits as long as the
 * database is away. Answers the outcome, or null if `signal` ended the waiting.
 */
export async function concludeAttempt(
  env: Environment,
  attempt: AttemptSoFar,
  outcome: Outcome,
  steps: ConcludingSteps,
): Promise<StoredOutcome['outcome'] | null> {
  const { run, fence } = attempt;
  const { signal } = steps;
  if (outcome.kind === 'superseded') {
    // Who took the run over has written what became of this attempt.
    return takeBackSuperseded(env, attempt, { unlessEnded: true }, steps);
  }
  const decided = await conclusionOf(env, attempt, outcome);
  if (!(await noteInHistory(env, attempt, decided, signal))) return null;
  const isOwnNumber = !(outcome.kind === 'set_aside' && outcome.cause.kind === 'same_number');
  // Before the run is free, since then the next attempt's child may write there, and before products
  // are published, since then nothing waits.
  if (!isDone(decided) && isOwnNumber) await wipeMonitor(env, attempt, signal);
  const published = await publishDecided(env, attempt, decided, steps);
  const written =
    typeof published === 'string' ? published : await writeIntoRun(env, attempt, published, signal);
  if (written === 'stopped') return null;
  // What stands in the history was decided here, and did not come about.
  if (written === 'superseded') {
    return takeBackSuperseded(env, attempt, { unlessEnded: false }, steps);
  }
  if (isDone(written.decided)) {
    // Before the attempt is marked as concluded: the next start looks only at those that are not.
    await requestDeletion(env, run.number, fence.attempt, signal);
    if (signal.aborted) return null;
  }
  await cleanUp(env, attempt, whatGoes(written.decided, isOwnNumber), signal);
  await notifyEnded(env, attempt, written);
  return written.decided.outcome.outcome;
}

/** The attempt has lost its run, or `signal` has ended the waiting: there is nothing more to decide. */
type CutShort = 'superseded' | 'stopped';

/** What is written into the run document. */
interface Written {
  decided: Decided;
  /** The status of the run, where it was not ours to change. */
  statusLeft: string | null;
}

function isDone({ conclusion }: Decided): boolean {
  return conclusion.kind === 'done';
}

/** False if `signal` ended the waiting. */
function noteInHistory(
  env: Environment,
  { fence, times }: AttemptSoFar,
  { outcome }: Decided,
  signal: AbortSignal,
): Promise<boolean> {
  return endHistory(env, fence.attempt, { outcome, times }, signal);
}

function wipeMonitor(
  env: Environment,
  { fence, run }: AttemptSoFar,
  signal: AbortSignal,
): Promise<void> {
  return wipeOnlineMonitor(env, { ...fence, number: run.number }, signal);
}

/** What is decided once the products have their place, or cannot have it. */
async function publishDecided(
  env: Environment,
  attempt: AttemptSoFar,
  decided: Decided,
  steps: ConcludingSteps,
): Promise<Decided | CutShort> {
  const { signal } = steps;
  const published = await publishRegistered(env, attempt, decided.conclusion, steps);
  if (published.kind === 'published') return decided;
  if (published.kind !== 'impossible') return published.kind;
  if (!(await earlierProductsAreBack(env, attempt, signal))) return 'stopped';
  const instead = conclusionOfUnpublished(env, attempt, published.reason);
  if (!(await noteInHistory(env, attempt, instead, signal))) return 'stopped';
  await wipeMonitor(env, attempt, signal);
  return instead;
}

/** Writes the conclusion, or in its stead that the run document cannot hold it. */
async function writeIntoRun(
  env: Environment,
  attempt: AttemptSoFar,
  decided: Decided,
  signal: AbortSignal,
): Promise<Written | CutShort> {
  const { run, fence } = attempt;
  const held = { fence, run: run.number };
  const concluded = await concludeAsFits(env, held, decided.conclusion, signal);
  if (concluded === null) return 'stopped';
  const { answer, refusal, conclusion } = concluded;
  if (answer.kind === 'superseded') return 'superseded';
  const statusLeft = answer.statusLeft ?? (run.status === FINISHED_STATUS ? run.status : null);
  if (refusal === null) return { decided, statusLeft };
  // What is written there was decided here, and could not be written into the run.
  const aside = setAsideInstead(env, attempt, conclusion, refusal);
  if (!(await noteInHistory(env, attempt, aside, signal))) return 'stopped';
  return { decided: aside, statusLeft };
}

function whatGoes(decided: Decided, isOwnNumber: boolean): 'made' | 'replaced' | 'nothing' {
  if (isDone(decided)) return 'replaced';
  return isOwnNumber && !keepsProducts(decided) ? 'made' : 'nothing';
}

async function notifyEnded(
  env: Environment,
  attempt: AttemptSoFar,
  { decided, statusLeft }: Written,
): Promise<void> {
  const { run, result } = attempt;
  if (isDone(decided) && statusLeft !== null) await tellStatusLeft(env, run, statusLeft);
  for (const type of result?.skipped ?? []) {
    const message = `post-processing of ${type} for run ${run.number} was skipped: the context ${env.context} does not know it`;
    await tellDaq(env, 'error', message, run.number);
  }
  for (const warning of result?.warnings ?? []) {
    await tellDaq(env, 'warning', `run ${run.number}: ${warning}`, run.number);
  }
  if (isDone(decided)) await tellInput(env, attempt);
  report(env, attempt, decided);
  await tellDaq(env, decided.priority, decided.message, run.number);
}

/** Products that the conclusion is to list. */
async function publishRegistered(
  env: Environment,
  { plan, result }: AttemptSoFar,
  { register = [] }: Conclusion,
  { enter, mark, signal }: ConcludingSteps,
): Promise<Publication> {
  if (plan === null || plan.place == null || register.length === 0) {
    enter('concluding');
    return { kind: 'published' };
  }
  enter('publishing');
  const listed = new Set(register.map(({ location }) => location));
  const products = (result?.products ?? []).filter(({ location }) => listed.has(location));
  assertThat(
    products.length === register.length,
    () => `of ${register.length} data entries of run ${plan.run} ${products.length} are published`,
  );
  const publication = await publish(env, plan, products, { mark, signal });
  enter('concluding');
  return publication;
}

/** False if `signal` ended the waiting. What the disk refuses now comes back with the next start. */
async function earlierProductsAreBack(
  env: Environment,
  { plan, run }: AttemptSoFar,
  signal: AbortSignal,
): Promise<boolean> {
  if (plan === null) return true;
  await unlessDiskTrouble(env, `bring back earlier products of run ${run.number}`, () =>
    bringBackReplaced(env, plan, signal),
  );
  return !signal.aborted;
}

/** What is not in the data is never silent. */
async function tellInput(env: Environment, { run, result }: AttemptSoFar): Promise<void> {
  for (const { priority, message } of inputNotices(run.number, result?.input)) {
    const level = priority === 'error' ? 'error' : 'warn';
    env.log[level]({ event: 'run.input', run: run.number }, message);
    await tellDaq(env, priority, message, run.number);
  }
}

/** A run that was handed on before is processed anew; one that others have gone on with is an alarm. */
async function tellStatusLeft(env: Environment, run: Run, status: string): Promise<void> {
  const message = `the status of run ${run.number} stays '${status}': it is not ours to change`;
  env.log.warn({ event: 'run.status_left', run: run.number, status }, message);
  await tellDaq(env, status === FINISHED_STATUS ? 'warning' : 'fatal', message, run.number);
}

/** What the disk refuses now is left to housekeeping: the attempt is then not marked as concluded. */
async function cleanUp(
  env: Environment,
  attempt: AttemptSoFar,
  goes: 'made' | 'replaced' | 'nothing',
  signal: AbortSignal,
): Promise<void> {
  const { plan, run } = attempt;
  if (plan === null) return;
  const remains = remainsOf(env, attempt, { isConcluded: true });
  await unlessDiskTrouble(env, `clean up after run ${run.number}`, async () => {
    // Left to the next start where this one ends before the database has answered.
    if (goes === 'replaced' && (await removeReplaced(env, plan, signal)) === null) return;
    const traces: Trace[] = goes === 'made' ? ['folders', 'place'] : ['place'];
    await takeBack(env, RUN_KIND.undoing, { remains, traces }, signal);
  });
}

/** Each attempt ends in exactly one line that tells its story. */
function report(env: Environment, attempt: AttemptSoFar, { outcome, message }: Decided): void {
  const line = {
    event: 'attempt.ended',
    run: attempt.run.number,
    attempt: attempt.fence.attempt,
    outcome: outcome.outcome,
    counted: outcome.counted,
    failuresBefore: attempt.run.bootstrax.failures,
    seconds: outcome.seconds,
    peakMemoryBytes: outcome.peakMemoryBytes,
    bytes: outcome.bytes,
    targets: attempt.plan?.targets ?? [],
    dropped: outcome.dropped,
  };
  switch (outcome.outcome) {
    case 'done':
      env.log.info(line, message);
      break;
    case 'given_up':
    case 'set_aside':
      env.log.error(line, message);
      break;
    case 'failed':
    case 'requeued':
    case 'abandoned':
    case 'superseded':
      env.log.warn(line, message);
      break;
  }
}
