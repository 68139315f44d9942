import type { AttemptTimes } from './attempt-times.pure.ts';
import type { Phase, Plan, Product, Result } from './attempt.pure.ts';
import { meaningOf } from '../retry/causes.pure.ts';
import { incompleteOf, inputNotices, inputSummary, lacksData } from './live-input.pure.ts';
import { fingerprint } from '../retry/fingerprint.pure.ts';
import { readRun, type Run } from '../run/run.pure.ts';
import { howToMend, unmendableText, type Unmendable } from '../retry/unmendable.pure.ts';
import type { FaultSeen } from '../run/stored-run.pure.ts';
import { reasonText, unpublished, type Outcome } from './outcome.pure.ts';
import { FINISHED_STATUS } from '../run/run-updates.ts';
import type { AttemptOutcome } from '../retry/attempt-history.port.ts';
import type { Conclusion, DataRegistration, Fence, Fenced } from '../run/run.port.ts';
import type { RunDocument } from '../run/run-document.port.ts';
import type { LogPriority } from '../ports/daq.port.ts';
import { concludeAsFits } from './conclude-run.ts';
import { publish, type Publication } from './publication.ts';
import { requestDeletion } from './request-deletion.ts';
import { unlessDiskTrouble } from '../ports/disk-trouble.ts';
import type { Environment } from '../ports/environment.ts';
import { concludedFailure, malformedText } from '../retry/failure.ts';
import { endHistory } from '../retry/attempt-history.ts';
import { wipeOnlineMonitor } from './online-monitor.ts';
import { untilAnswered } from '../ports/persist.ts';
import { faultSeenNow } from '../plan/prepare.ts';
import { removeProducts, takingBack, withdrawEntries } from './files/removal.ts';
import { tellDaq } from '../ports/notify.ts';
import { counted } from '../infra/values/counted.pure.ts';

/** What is known of an attempt when it is settled; as much as it came to. */
export interface AttemptSoFar {
  run: Run;
  fence: Fence;
  plan: Plan | null;
  result: Result | null;
  /** Folders that strax began, final names. */
  locations: readonly string[];
  bytes: number | null;
  /** Of live data, read. */
  chunks: number | null;
  /** As the child last said; null if it said nothing. */
  phase: Phase | null;
  seconds: number | null;
  peakMemoryBytes: number | null;
  times: AttemptTimes;
}

/** What the conclusion needs of the life of its attempt. */
export interface ConcludingSteps {
  /** The manager ends: the next one goes on. */
  signal: AbortSignal;
  enter: (phase: 'publishing' | 'concluding') => void;
  /** Sees, by a fenced write, that the run is still this attempt's; null if `signal` ended the waiting. */
  mark: () => Promise<Fenced | null>;
}

interface Settled {
  conclusion: Conclusion;
  outcome: AttemptOutcome;
  /** For the DAQ's log. */
  priority: LogPriority;
  message: string;
}

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
): Promise<AttemptOutcome['outcome'] | null> {
  const { run, fence } = attempt;
  const { signal } = steps;
  if (outcome.kind === 'superseded') {
    steps.enter('concluding');
    // Who took the run over has written what became of this attempt.
    return takeBackSuperseded(env, attempt, { unlessEnded: true }, signal);
  }
  let settled = decide(env, attempt, outcome, await faultSeenBy(env, attempt, outcome));
  const { times } = attempt;
  if (!(await endHistory(env, fence.attempt, settled.outcome, { times }, signal))) return null;
  const published = await publishRegistered(env, attempt, settled.conclusion, steps);
  switch (published.kind) {
    case 'published':
      break;
    case 'stopped':
      return null;
    case 'superseded':
      return takeBackSuperseded(env, attempt, { unlessEnded: false }, signal);
    case 'impossible':
      settled = decide(env, attempt, unpublished(run.number, published.reason), null);
      if (!(await endHistory(env, fence.attempt, settled.outcome, { times }, signal))) return null;
  }
  if (settled.conclusion.kind !== 'done' && outcome.kind !== 'same_number') {
    // Before the run is free: then the next attempt's child may write there.
    await wipeOnlineMonitor(env, { ...fence, number: run.number }, signal);
  }
  const concluded = await concludeAsFits(
    env,
    { fence, run: run.number },
    settled.conclusion,
    signal,
  );
  if (concluded === null) return null;
  const { answer, refusal } = concluded;
  if (answer.kind === 'superseded') {
    // What is written there was decided here, and did not come about.
    return takeBackSuperseded(env, attempt, { unlessEnded: false }, signal);
  }

  if (refusal !== null) {
    // What is written there was decided here, and could not be written into the run.
    settled = setAsideInstead(env, attempt, concluded.conclusion, refusal);
    if (!(await endHistory(env, fence.attempt, settled.outcome, { times }, signal))) return null;
  }
  if (settled.conclusion.kind === 'done') {
    // Before the attempt is marked as concluded: the next start looks only at those that are not.
    await requestDeletion(env, run.number, fence.attempt, signal);
    if (signal.aborted) return null;
  }
  const withFolders =
    settled.conclusion.kind !== 'done' && outcome.kind !== 'same_number' && !keepsProducts(settled);
  await cleanUp(env, attempt, withFolders, signal);
  const finishedBefore = run.status === FINISHED_STATUS ? run.status : null;
  const statusLeft = answer.statusLeft ?? finishedBefore;
  if (settled.conclusion.kind === 'done' && statusLeft !== null) {
    await tellStatusLeft(env, run, statusLeft);
  }
  for (const type of attempt.result?.skipped ?? []) {
    const message = `post-processing of ${type} for run ${run.number} was skipped: the context ${env.context} does not know it`;
    await tellDaq(env, 'error', message, run.number);
  }
  for (const warning of attempt.result?.warnings ?? []) {
    await tellDaq(env, 'warning', `run ${run.number}: ${warning}`, run.number);
  }
  if (settled.conclusion.kind === 'done') await tellInput(env, attempt);
  report(env, attempt, settled);
  await tellDaq(env, settled.priority, settled.message, run.number);
  return settled.outcome.outcome;
}

/** Products that the conclusion is to list. */
async function publishRegistered(
  env: Environment,
  { plan, result }: AttemptSoFar,
  { register = [] }: Conclusion,
  { enter, mark }: ConcludingSteps,
): Promise<Publication> {
  if (plan === null || plan.place == null || register.length === 0) {
    enter('concluding');
    return { kind: 'published' };
  }
  enter('publishing');
  const listed = new Set(register.map(({ location }) => location));
  const products = (result?.products ?? []).filter(({ location }) => listed.has(location));
  const publication = await publish(env, plan, products, mark);
  enter('concluding');
  return publication;
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

/** The run is somebody else's: takes back what this attempt left behind, and nothing else. */
async function takeBackSuperseded(
  env: Environment,
  attempt: AttemptSoFar,
  history: { unlessEnded: boolean },
  signal: AbortSignal,
): Promise<'superseded' | null> {
  const { run, fence, locations, plan } = attempt;
  const read = await untilAnswered(env, `run ${run.number}`, signal, async () => ({
    document: await env.store.runs.byId(fence.id),
  }));
  if (read === null) return null;
  const { document } = read;
  if (document !== null && isConcludedBy(document, fence)) {
    return leaveToAnotherManager(env, attempt, signal);
  }
  if (plan !== null) {
    await unlessDiskTrouble(env, `note that run ${run.number} is lost`, () =>
      env.attempts.markSuperseded(env.attempts.directoryOf(fence.attempt)),
    );
  }
  const outcome = historyOf(
    env,
    attempt,
    'superseded',
    false,
    'the run was taken over or settled by others',
  );
  const options = { ...history, times: attempt.times };
  if (!(await endHistory(env, fence.attempt, outcome, options, signal))) return null;
  if (document !== null && plan !== null) {
    await unlessDiskTrouble(env, `withdraw data entries of run ${run.number}`, () =>
      withdrawEntries(env, takingBack(plan, locations), document, locations, signal),
    );
    if (signal.aborted) return null;
  }
  await wipeOnlineMonitor(env, { ...fence, number: run.number }, signal);
  await cleanUp(env, attempt, true, signal);
  env.log.warn(
    { event: 'attempt.superseded', run: run.number, attempt: fence.attempt },
    `run ${run.number} is no longer this attempt's (taken over or settled by others): its child is ended and its folders are removed`,
  );
  return 'superseded';
}

/** The document does not take what the run has become: a person has to look at it. */
function setAsideInstead(
  env: Environment,
  attempt: AttemptSoFar,
  conclusion: Conclusion,
  refusal: string,
): Settled {
  const { number } = attempt.run;
  const text = `run ${number} cannot be concluded: the database refuses what has to be written into its document: ${refusal}`;
  return {
    conclusion,
    outcome: historyOf(env, attempt, 'set_aside', false, text),
    priority: 'error',
    message: `${text}. Look at the size and the fields of the document, then 'bootstrax retry ${number}'`,
  };
}

function isConcludedBy(document: RunDocument, { attempt }: Fence): boolean {
  const { own, bootstrax } = readRun(document);
  return own.lastAttempt === attempt && bootstrax.attempt !== attempt;
}

/** This very attempt was concluded already, and by no write of this manager: what it made stays. */
async function leaveToAnotherManager(
  env: Environment,
  attempt: AttemptSoFar,
  signal: AbortSignal,
): Promise<'superseded'> {
  const { run, fence } = attempt;
  const why = 'another manager of this host has concluded it';
  const outcome = historyOf(env, attempt, 'superseded', false, why);
  const options = { unlessEnded: true, times: attempt.times };
  await endHistory(env, fence.attempt, outcome, options, signal);
  await cleanUp(env, attempt, false, signal);
  const message = `another manager of ${env.host} has concluded run ${run.number}: what it has made stays as it is`;
  env.log.warn(
    { event: 'attempt.concluded_by_another', run: run.number, attempt: fence.attempt },
    message,
  );
  await tellDaq(env, 'warning', message, run.number);
  return 'superseded';
}

function decide(
  env: Environment,
  attempt: AttemptSoFar,
  outcome: Exclude<Outcome, { kind: 'superseded' }>,
  faultSeen: FaultSeen | null,
): Settled {
  const { run } = attempt;
  if (outcome.kind === 'unmendable') {
    return settledUnmendable(env, attempt, { ...outcome.unmendable, canBeRead: false }, faultSeen);
  }
  if (outcome.kind === 'set_aside') {
    const text = malformedText(`run ${run.number}`, outcome.problems);
    return {
      conclusion: {
        kind: 'set_aside',
        reason: reasonText(env.host, text, ''),
        problems: outcome.problems,
        unregister: attempt.locations,
        ...(faultSeen === null ? {} : { faultSeen }),
      },
      outcome: historyOf(env, attempt, 'set_aside', false, text),
      priority: 'error',
      message: `${text}. Mend the document, then 'bootstrax retry ${run.number}'`,
    };
  }
  if (outcome.kind === 'same_number') {
    const { text, problems, sameNumber } = outcome.because;
    const reason = reasonText(env.host, text, '');
    return {
      conclusion: { kind: 'set_aside', reason, problems, sameNumber },
      outcome: historyOf(env, attempt, 'set_aside', false, text),
      priority: 'error',
      message: text,
    };
  }
  if (outcome.kind === 'abandoned') {
    return {
      conclusion: { kind: 'abandoned', reason: null, unregister: attempt.locations },
      outcome: historyOf(env, attempt, 'abandoned', false, outcome.reason),
      priority: 'warning',
      message: `run ${run.number} is abandoned: ${outcome.reason}`,
    };
  }
  if (outcome.kind === 'done') {
    const products = attempt.result?.products ?? [];
    const incomplete = incompleteOf(attempt.result?.input);
    const handOn = incomplete === null || !lacksData(incomplete);
    return {
      conclusion: {
        kind: 'done',
        register: products.map(registration),
        handOn,
        ...(incomplete === null ? {} : { incomplete }),
      },
      outcome: historyOf(env, attempt, 'done', false, null),
      priority: handOn ? 'info' : 'error',
      message: `run ${run.number} is done${handOn ? '' : ' but INCOMPLETE, and not handed on'}: ${counted(products.length, 'data type')}`,
    };
  }
  const { fault, reason, traceback, cause, shortOf = null } = outcome;
  if (outcome.unmendable !== undefined) {
    const aside = settledUnmendable(env, attempt, outcome.unmendable, faultSeen);
    const print = fingerprint(cause, traceback, reason);
    const told = { cause: cause.kind, traceback: traceback === '' ? null : traceback };
    return { ...aside, outcome: { ...aside.outcome, ...told, fingerprint: print } };
  }
  const { phase, chunks } = attempt;
  const progress = phase === null ? null : { phase, chunks: chunks ?? 0 };
  const meaning = meaningOf({ cause, traceback, shortOf, progress }, env.rules.targets);
  const failure = concludedFailure(env, {
    run: run.number,
    before: run.bootstrax,
    fault,
    reason,
    traceback,
    meaning,
    told: outcome.told === true,
  });
  return {
    conclusion: { ...failure.conclusion, unregister: attempt.locations },
    outcome: {
      ...historyOf(env, attempt, failure.conclusion.kind, failure.counted, reason),
      cause: cause.kind,
      meaning,
      traceback: traceback === '' ? null : traceback,
      fingerprint: fingerprint(cause, traceback, reason),
      plugin: outcome.culprit,
    },
    priority: failure.priority,
    message: failure.message,
  };
}

/** What was made stays, and is listed. */
function settledUnmendable(
  env: Environment,
  attempt: AttemptSoFar,
  unmendable: Unmendable,
  faultSeen: FaultSeen | null,
): Settled {
  const { number } = attempt.run;
  const text = unmendableText(`run ${number}`, unmendable);
  const products = unmendable.canBeRead ? (attempt.result?.products ?? []) : [];
  const kept = new Set(products.map(({ location }) => location));
  return {
    conclusion: {
      kind: 'set_aside',
      reason: reasonText(env.host, text, ''),
      problems: unmendable.problems,
      register: products.map(registration),
      unregister: attempt.locations.filter((location) => !kept.has(location)),
      ...(faultSeen === null ? {} : { faultSeen }),
    },
    outcome: historyOf(env, attempt, 'set_aside', false, text),
    priority: 'error',
    message: `${text}. ${howToMend(number)}`,
  };
}

function keepsProducts({ conclusion }: Settled): boolean {
  return conclusion.kind === 'set_aside' && (conclusion.register ?? []).length > 0;
}

/** Only for a fault that an attempt has found: document and live data need not show it by themselves. */
async function faultSeenBy(
  env: Environment,
  { run, plan }: AttemptSoFar,
  outcome: Outcome,
): Promise<FaultSeen | null> {
  if (outcome.kind === 'set_aside') return outcome.faultSeen ?? null;
  if (outcome.kind !== 'failed' || plan === null) return null;
  const { unmendable } = outcome;
  if (unmendable === undefined) return null;
  return faultSeenNow(env, run, plan.liveDataDirectory);
}

function historyOf(
  env: Environment,
  attempt: AttemptSoFar,
  outcome: AttemptOutcome['outcome'],
  counted: boolean,
  reason: string | null,
): AttemptOutcome {
  return {
    outcome,
    counted,
    reason,
    cause: outcome === 'done' ? 'finished' : null,
    traceback: null,
    fingerprint: null,
    plugin: null,
    seconds: attempt.seconds,
    peakMemoryBytes: attempt.peakMemoryBytes,
    bytes: attempt.bytes,
    dropped: attempt.plan?.dropped ?? [],
    // The lineage of each is in the run document and beside the data: the history stays small.
    products: (attempt.result?.products ?? []).map(({ lineage, ...product }) => product),
    chunks: attempt.chunks,
    // A child that died could not report them itself.
    versions: attempt.result?.versions ?? env.executor.versions(),
    input: inputSummary(attempt.result?.input),
  };
}

function registration({ type, location, lineage }: Product): DataRegistration {
  return { type, location, lineage };
}

/** What the disk refuses now is left to housekeeping: the attempt is then not marked as concluded. */
async function cleanUp(
  env: Environment,
  attempt: AttemptSoFar,
  withFolders: boolean,
  signal: AbortSignal,
): Promise<void> {
  const { plan, locations, run } = attempt;
  await unlessDiskTrouble(env, `clean up after run ${run.number}`, async () => {
    if (withFolders && plan !== null) {
      // Left to the next start where this one ends before the database has answered.
      if ((await removeProducts(env, takingBack(plan, locations), signal)) === null) return;
    }
    if (plan?.place != null) await env.products.removePlace(plan.place);
    await closeDirectory(env, attempt);
  });
}

async function closeDirectory(env: Environment, attempt: AttemptSoFar): Promise<void> {
  if (attempt.plan === null) return;
  await env.attempts.markConcluded(env.attempts.directoryOf(attempt.fence.attempt));
}

/** Each attempt ends in exactly one line that tells its story. */
function report(env: Environment, attempt: AttemptSoFar, { outcome, message }: Settled): void {
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
