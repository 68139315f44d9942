import { causeText, type Cause } from './causes.pure.ts';
import { fingerprint } from './fingerprint.pure.ts';
import type { FieldProblem } from '../run/run.pure.ts';
import { concludeFailure, type Fault, type FailureHistory } from './backoff.pure.ts';
import { reasonText, type ExitCause } from '../attempt/outcome.pure.ts';
import type { AttemptOutcome } from './attempt-history.port.ts';
import type { Conclusion } from '../run/run.port.ts';
import type { LogPriority } from '../ports/daq.port.ts';
import type { Environment } from '../ports/environment.ts';
import { counted } from '../infra/values/counted.pure.ts';

/** An attempt that ended without success. */
export interface Failure {
  run: number;
  before: FailureHistory;
  fault: Fault;
  /** One or more sentences. */
  reason: string;
  traceback: string;
  /** Also a run that goes back to the queue says it in its document: nobody else does. */
  told?: boolean;
  /** What it means, where an attempt has told. */
  cause?: Cause;
}

export interface ConcludedFailure {
  conclusion: Extract<Conclusion, { kind: 'failed' | 'requeued' | 'given_up' }>;
  counted: boolean;
  /** For the DAQ's log. */
  priority: LogPriority;
  message: string;
}

/** What a failure means for its run, and what people are told. */
export function concludedFailure(env: Environment, failure: Failure): ConcludedFailure {
  const { run, before, fault, reason } = failure;
  const { retry } = env.rules;
  const conclusion = concludeFailure(before, fault, env.clock.random(), retry);
  const text = reasonText(env.host, reason, failure.traceback);
  const what = failure.cause === undefined ? '' : `, ${causeText(failure.cause)}`;
  switch (conclusion.kind) {
    case 'requeued':
      return {
        // A null reason: the run keeps the one it had.
        conclusion: { ...conclusion, reason: failure.told === true ? text : null },
        counted: false,
        priority: before.failures + before.uncounted === 0 ? 'warning' : 'info',
        message: `run ${run} goes back to the queue, not counted${what}: ${reason}`,
      };
    case 'failed': {
      const first = conclusion.failures === 1;
      return {
        conclusion: { ...conclusion, reason: text },
        counted: true,
        priority: first ? 'warning' : 'info',
        message: `${first ? 'New' : 'Repeated'} failure on run ${run} (${conclusion.failures} of ${retry.maxFailures})${what}: ${reason}`,
      };
    }
    case 'given_up':
      return {
        conclusion: { kind: 'given_up', reason: text, failures: conclusion.failures },
        counted: true,
        priority: 'fatal',
        message: `run ${run} is GIVEN UP after ${counted(conclusion.failures, 'failure')} and needs a person${what}: ${reason}. Try again with 'bootstrax retry ${run} --from-start'`,
      };
  }
}

/** Whether the end of an attempt tells something of the host it ran on. */
export function tellsOfHost(cause: ExitCause['kind'] | null): boolean {
  switch (cause) {
    case 'operator':
    case 'manager':
    case 'orphaned':
    case 'not_started':
    case 'superseded':
    case null:
      return false;
    default:
      return true;
  }
}

/** The history's entry for an attempt whose end nobody saw. */
export function endedUnseen(
  reason: string,
  options: { counted?: boolean; dropped?: readonly string[] } = {},
): AttemptOutcome {
  const { counted = false, dropped = [] } = options;
  return {
    outcome: counted ? 'failed' : 'requeued',
    cause: counted ? 'vanished' : null,
    counted,
    reason,
    traceback: null,
    fingerprint: counted ? fingerprint({ kind: 'vanished' }) : null,
    plugin: null,
    seconds: null,
    peakMemoryBytes: null,
    bytes: null,
    chunks: null,
    dropped,
    products: [],
    versions: {},
  };
}

/** Why a malformed document is set aside. `label` names the run, or the document if it has no number. */
export function malformedText(label: string, problems: readonly FieldProblem[]): string {
  const named = problems.map(({ field, problem }) => `${field}: ${problem}`).join('; ');
  return `${label} cannot be processed, its document is malformed: ${named}`;
}
