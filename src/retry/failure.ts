import { type ExitCause, type Failed, reasonText } from '../attempt/outcome.pure.ts';
import { counted } from '../infra/values/counted.pure.ts';
import type { LogPriority } from '../ports/daq.port.ts';
import type { Environment } from '../ports/environment.ts';
import type { Conclusion } from '../run/run.port.ts';
import type { FieldProblem } from '../run/run.pure.ts';
import { adviceFor, adviceText } from './advice.pure.ts';
import type { StoredOutcome } from './attempt-history.port.ts';
import { concludeFailure, type FailureHistory } from './backoff.pure.ts';
import { type Cause, causeText } from './causes.pure.ts';
import { fingerprint } from './fingerprint.pure.ts';

/** The run of an attempt that failed. */
interface FailedRun {
  run: number;
  before: FailureHistory;
  /** Why the attempt failed, if that is known. */
  cause?: Cause;
}

export interface ConcludedFailure {
  conclusion: Extract<Conclusion, { kind: 'failed' | 'requeued' | 'given_up' }>;
  counted: boolean;
  /** For the DAQ's log. */
  priority: LogPriority;
  message: string;
}

/** The conclusion of a failure, and the message for people. */
export function concludedFailure(
  env: Environment,
  { run, before, cause }: FailedRun,
  { fault, reason, traceback, told }: Pick<Failed, 'fault' | 'reason' | 'traceback' | 'told'>,
): ConcludedFailure {
  const { retry } = env.rules;
  const conclusion = concludeFailure(before, fault, env.clock.random(), retry);
  const text = reasonText(env.host, reason, traceback);
  const what = cause === undefined ? '' : `, ${causeText(cause)}`;
  switch (conclusion.kind) {
    case 'requeued':
      return {
        // Null: the run keeps its earlier reason.
        conclusion: { ...conclusion, reason: told === true ? text : null },
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
        message: `run ${run} is GIVEN UP after ${counted(conclusion.failures, 'failure')} and needs attention${what}: ${reason}. ${whatHelps(run, cause)}`,
      };
  }
}

function whatHelps(run: number, cause: Cause | undefined): string {
  const advice = adviceFor(cause?.class ?? 'unknown', cause?.plugin ?? null);
  return adviceText(advice, { name: String(run), isGivenUp: true });
}

/** Whether an attempt with this exit cause counts for or against its host. */
export function isAboutHost(cause: ExitCause['kind'] | null): boolean {
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

/** The end of an attempt for the history, where no host saw it end. */
export function endedUnseen(
  reason: string,
  options: { counted?: boolean; dropped?: readonly string[] } = {},
): StoredOutcome {
  const { counted: counts = false, dropped = [] } = options;
  return {
    outcome: counts ? 'failed' : 'requeued',
    cause: counts ? 'vanished' : null,
    counted: counts,
    reason,
    traceback: null,
    fingerprint: counts ? fingerprint({ kind: 'vanished' }) : null,
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

/** Why a malformed run is set aside. `label` names the run, or its document if that has no number. */
export function malformedText(label: string, problems: readonly FieldProblem[]): string {
  const named = problems.map(({ field, problem }) => `${field}: ${problem}`).join('; ');
  return `${label} cannot be processed, its document is malformed: ${named}`;
}
