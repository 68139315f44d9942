import { gigabytes } from '../infra/values/amounts.pure.ts';
import { boundedText } from '../infra/values/bounded.pure.ts';
import type { Fault } from '../retry/backoff.pure.ts';
import { type FieldProblem, problemsText } from '../run/run.pure.ts';
import type { NumberTaken } from '../run/same-number.pure.ts';
import { type Ended, type Exit, EXIT_NO_RESULT, type Plan, type Result } from './attempt.pure.ts';

export { verifyProducts, type Verification } from './verification.pure.ts';
export type { Ended } from './attempt.pure.ts';
import { isOfConfiguration, type Unmendable, unmendableError } from '../retry/unmendable.pure.ts';
import type { FaultSeen } from '../run/stored-run.pure.ts';
import type { Verification } from './verification.pure.ts';

/** The longest reason that a run document holds. */
const MOST_REASON_CHARACTERS = 6000;
const LONGEST_TRACEBACK = 40_000;

/** How an attempt came to its end. */
export type ExitCause =
  | { kind: 'finished' }
  | {
      kind: 'strax_error';
      type: string;
      message: string;
      traceback: string;
      plugin: string | null;
      file: string | null;
    }
  | { kind: 'child_died'; code: number | null; signal: number | null }
  | { kind: 'out_of_memory'; traceback: string; plugin: string | null }
  /** Begun, but neither result nor exit: guardian and child went together, as in a power cut. */
  | { kind: 'vanished' }
  /** No process of it ever began: its manager went before it could start one. */
  | { kind: 'not_started' }
  | { kind: 'orphaned' }
  | Ended;

/** The run's live data, its end, or what should have been made of it. */
export type ShortOf = 'live_data' | 'end' | 'products';

/** Why no attempt is made at a run before a person has mended something. */
export type SetAsideCause =
  /** Its document, or what the context or the database say to it. */
  | { kind: 'malformed'; problems: readonly FieldProblem[]; faultSeen?: FaultSeen }
  /** Its live data. */
  | ({ kind: 'unmendable' } & Unmendable)
  /** Its number belongs to another document: nothing of the number is touched. */
  | ({ kind: 'same_number' } & NumberTaken);

/** What an attempt has come to: what is written into its run, and why. */
export type Outcome =
  | { kind: 'done' }
  | {
      kind: 'failed';
      fault: Fault;
      /** One or more sentences for `bootstrax.reason`. */
      reason: string;
      /** Python's traceback, or the stacks of the threads when it was stopped; '' if neither is known. */
      traceback: string;
      /** Data type whose plugin is to be shed. */
      culprit: string | null;
      cause: ExitCause;
      /** What an attempt that finished, or never could begin, lacked. */
      shortOf?: ShortOf;
      /** No other attempt can go better: the run is set aside until these are corrected. */
      unmendable?: Unmendable;
      /** Also a run that goes back to the queue says why. */
      told?: boolean;
    }
  /** No attempt could go better before a person has mended something: none was made. */
  | { kind: 'set_aside'; cause: SetAsideCause }
  /** A person wants no more of it. */
  | { kind: 'abandoned'; reason: string }
  /** The run belongs to somebody else now: write nothing, clean up. */
  | { kind: 'superseded' };

/** An attempt that was not done, and may go better another time. */
export type Failed = Extract<Outcome, { kind: 'failed' }>;

/** What the end of its processes, or the lack of any, can come to. */
export type ChildOutcome = Extract<Outcome, { kind: 'done' | 'failed' | 'superseded' }>;

export interface AttemptEnd {
  run: number;
  /** Whether a process of it has begun. */
  started: boolean;
  exit: Exit | null;
  result: Result | null;
  /** Its executor says that its memory did not suffice, where its guardian could not. */
  outOfMemory?: boolean;
  /** Why the manager ended it, if it did. */
  ended: Ended | null;
  /** Where its Python threads were when it was ended for its time or its memory; bounded. */
  stacks?: string | null;
  /** Of its plan, where that is known. */
  plan?: { salvage: boolean; compressor: unknown };
}

/** What of a plan tells whether another attempt would read more. */
export function readingOf({ salvage, runConfig }: Plan): NonNullable<AttemptEnd['plan']> {
  return { salvage: salvage === true, compressor: runConfig['daq_compressor'] };
}

/**
 * How an attempt came to its end. A complete result counts even if the child was killed a moment
 * later, or its guardian went before it could write: it is written when all is safely on disk.
 */
export function exitCause({ started, exit, result, ended, outOfMemory }: AttemptEnd): ExitCause {
  if (ended?.kind === 'superseded') return ended;
  if (result?.ok === true) return { kind: 'finished' };
  if (ended !== null) return ended;
  if (exit?.orphaned === true) return { kind: 'orphaned' };
  const error = result?.error ?? null;
  if (exit?.outOfMemory === true || outOfMemory === true) return causeOfKill(error);
  if (error !== null) return causeOfError(error);
  return exit === null ? causeOfSilence(started) : causeOfExit(exit);
}

function causeOfSilence(started: boolean): ExitCause {
  return started ? { kind: 'vanished' } : { kind: 'not_started' };
}

type ResultError = NonNullable<Result['error']>;

function causeOfKill(error: ResultError | null): ExitCause {
  const { traceback, plugin } = error ?? { traceback: '', plugin: null };
  return { kind: 'out_of_memory', traceback, plugin };
}

function causeOfError(error: ResultError): ExitCause {
  const { type, message, traceback, plugin, file } = error;
  if (error.origin === 'host') return { kind: 'host_problem', reason: `${type}: ${message}` };
  return { kind: 'strax_error', type, message, traceback, plugin, file };
}

function causeOfExit({ code, signal }: Exit): ExitCause {
  if (code === EXIT_NO_RESULT) {
    return { kind: 'host_problem', reason: 'its result could not be written to the state folder' };
  }
  return { kind: 'child_died', code, signal };
}

type Failing = (fault: Fault, what: string, culprit?: string | null) => Failed;

function failing(end: AttemptEnd, cause: ExitCause): Failing {
  const traceback = end.result?.error?.traceback ?? end.stacks ?? '';
  return (fault, what, culprit = null) => ({
    kind: 'failed',
    fault,
    reason: `Run ${end.run}: ${what}`,
    traceback,
    culprit,
    cause,
  });
}

/** What an attempt's end means for its run. `verification` matters only if the attempt finished. */
export function outcomeOf(end: AttemptEnd, verification: Verification): ChildOutcome {
  const cause = exitCause(end);
  const failed = failing(end, cause);
  switch (cause.kind) {
    case 'superseded':
      return { kind: 'superseded' };
    case 'finished':
      return outcomeOfFinished(failed, verification);
    case 'strax_error':
      return outcomeOfError(failed, cause, end.plan);
    case 'out_of_memory':
      return failed('run', 'the kernel ended it for want of memory.', cause.plugin);
    case 'child_died':
    case 'timed_out':
    case 'no_progress':
    case 'memory_limit':
      return failed('run', stopText(cause));
    case 'vanished':
      return failed(
        'holder_lost',
        'all its processes vanished without a word, as when a machine restarts.',
      );
    case 'not_started':
    case 'orphaned':
    case 'host_problem':
    case 'operator':
    case 'manager':
      return failed('surroundings', surroundingsText(cause));
  }
}

function outcomeOfFinished(failed: Failing, verification: Verification): ChildOutcome {
  switch (verification.kind) {
    case 'ok':
      return { kind: 'done' };
    case 'not_ended': {
      const what = 'it was processed, but the DAQ has not written its end.';
      return { ...failed('run', what), shortOf: 'end' };
    }
    case 'no_end': {
      const problems = [verification.problem];
      const what = `it was processed, but it has no end to check that against: ${problemsText(problems)}.`;
      const unmendable = { problems, canBeRead: true };
      return { ...failed('run', what), shortOf: 'end', unmendable };
    }
    case 'not_saved': {
      const what = `its document lists data that is not there: ${verification.locations.join(', ')}.`;
      return { ...failed('run', what), shortOf: 'products' };
    }
    case 'bad': {
      const what = `its products are not right: ${verification.problem}`;
      return { ...failed('run', what), shortOf: 'products' };
    }
  }
}

function outcomeOfError(
  failed: Failing,
  cause: Extract<ExitCause, { kind: 'strax_error' }>,
  plan: AttemptEnd['plan'],
): ChildOutcome {
  if (isOfConfiguration(cause)) {
    const what = `its configuration makes every attempt fail: ${cause.type}: ${cause.message}`;
    return failed('configuration', `${what}. Correct the targets or the context`);
  }
  const failure = failed('run', errorText(cause), cause.plugin);
  const problem = plan === undefined ? null : unmendableError(cause, plan);
  if (problem === null) return failure;
  return { ...failure, unmendable: { problems: [problem], canBeRead: false } };
}

type OfKind<Kind extends ExitCause['kind']> = Extract<ExitCause, { kind: Kind }>;

function stopText(
  cause: OfKind<'child_died' | 'timed_out' | 'no_progress' | 'memory_limit'>,
): string {
  switch (cause.kind) {
    case 'child_died':
      return `the strax process ended without a result, ${howItDied(cause)}.`;
    case 'timed_out':
      return cause.which === 'processing'
        ? 'it was processed for too long and was stopped.'
        : 'it was still being processed too long after its end and was stopped.';
    case 'no_progress':
      return 'nothing was written for too long and it was stopped.';
    case 'memory_limit':
      return memoryText(cause);
  }
}

function surroundingsText(
  cause: OfKind<'not_started' | 'orphaned' | 'host_problem' | 'operator' | 'manager'>,
): string {
  switch (cause.kind) {
    case 'not_started':
      return 'its manager ended before it had started.';
    case 'orphaned':
      return 'the strax process saw no manager for too long and ended itself.';
    case 'host_problem':
      return `this host cannot process it: ${cause.reason}`;
    case 'operator':
      return `stopped by an operator: ${cause.reason}`;
    case 'manager':
      return `stopped by its manager: ${cause.reason}`;
  }
}

/** The same where it came to no child. `told`: a run that goes back to the queue says why. */
export function outcomeWithoutChild(run: number, ended: Ended, told: boolean): ChildOutcome {
  const end = { run, started: false, exit: null, result: null, ended };
  const outcome = outcomeOf(end, { kind: 'ok' });
  return outcome.kind === 'failed' ? { ...outcome, told } : outcome;
}

/** The most memory that is known of by its end; 0: nothing is. */
export function peakMemoryOf({ result, exit, ended }: AttemptEnd): number {
  const atEnd = ended?.kind === 'memory_limit' ? ended.bytes : 0;
  return Math.max(result?.peakMemoryBytes ?? 0, exit?.peakMemoryBytes ?? 0, atEnd);
}

/** What was made and checked cannot be given its place: this host's trouble, not the run's. */
export function unpublished(run: number, reason: string): Failed {
  return {
    kind: 'failed',
    fault: 'surroundings',
    reason: `Run ${run}: this host cannot publish its data: ${reason}`,
    traceback: '',
    culprit: null,
    cause: { kind: 'host_problem', reason },
  };
}

function errorText(error: ExitCause & { kind: 'strax_error' }): string {
  const plugin = error.plugin === null ? '' : ` while making ${error.plugin}`;
  const file = error.file === null ? '' : ` (file ${error.file})`;
  return `strax failed${plugin}: ${error.type}: ${error.message}${file}`;
}

function memoryText(cause: Ended & { kind: 'memory_limit' }): string {
  const [used, limit, left] = [cause.bytes, cause.limitBytes, cause.availableBytes].map(gigabytes);
  return `it used ${used} of memory (limit ${limit}, ${left} left on the machine) and was stopped before the kernel would have.`;
}

function howItDied({ code, signal }: { code: number | null; signal: number | null }): string {
  if (signal !== null) return `killed by signal ${signal}`;
  return code === null ? 'cause not known' : `exit code ${code}`;
}

/** `bootstrax.reason`: host, reason and traceback, a line each (reference, section 1.4). */
export function reasonText(host: string, reason: string, traceback: string): string {
  return `${host}:\n${boundedText(reason, MOST_REASON_CHARACTERS)}\n${boundedText(traceback, LONGEST_TRACEBACK)}`;
}
