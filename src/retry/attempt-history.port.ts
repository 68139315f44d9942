import type { AttemptTimes } from '../attempt/attempt-times.pure.ts';
import type { InputSummary } from '../attempt/live-input.pure.ts';
import type { ExitCause } from '../attempt/outcome.pure.ts';
import type { OutcomeName } from '../run/run.pure.ts';
import type { EndedFigures } from './attempt-metrics.pure.ts';
import type { Blame, PastFailure } from './blame.pure.ts';
import type { Cause, CauseClass } from './causes.pure.ts';

/** History: one document per attempt. */
export interface AttemptRecord {
  /** 24 hexadecimal digits. */
  attempt: string;
  run: number;
  host: string;
  mode: string | null;
  /** Counted failures before this attempt. */
  failures: number;
  /** An attempt at a debt: its end does not change the state of the run. */
  ofDebt?: boolean;
  /** `plan.json`, or null if the attempt ended before it had a plan. */
  plan: Record<string, unknown> | null;
  /** Absent in what earlier releases wrote, and in attempts at a debt. */
  times?: AttemptTimes;
}

export interface StoredOutcome {
  outcome: OutcomeName | 'superseded';
  /** Exit cause of the attempt; null if it had none of its own. */
  cause: ExitCause['kind'] | null;
  /** Cause of the failure; null for an attempt that did not fail, absent in documents of earlier releases. */
  meaning?: Cause | null;
  /** Whether it counted as a failure of the run. */
  counted: boolean;
  reason: string | null;
  traceback: string | null;
  /** Equal for failures that are alike. */
  fingerprint: string | null;
  plugin: string | null;
  seconds: number | null;
  peakMemoryBytes: number | null;
  bytes: number | null;
  /** Number of chunks of live data that were read. */
  chunks: number | null;
  /** Targets wanted for this run that were not made: a debt. */
  dropped: readonly string[];
  products: readonly Record<string, unknown>[];
  versions: Record<string, string>;
  /** What was read of the live data; null where nothing was, absent in what earlier releases wrote. */
  input?: InputSummary | null;
}

export interface AttemptDocument extends AttemptRecord {
  started: Date;
  ended: Date | null;
  result: StoredOutcome | null;
}

export interface GroupedFailures {
  fingerprint: string;
  count: number;
  /** At most 20 run numbers. */
  runs: number[];
  last: Date;
  reason: string;
  /** Number of these failures that counted. */
  counted: number;
  /** Cause of the newest failure; null in documents of earlier releases. */
  meaning: Cause | null;
  /** Cause of the newest failure in words; null: it had no exit cause of its own. */
  cause: string | null;
  blame: Blame;
}

/** Failures since a time; all given conditions must hold. */
export interface FailureQuery {
  since: Date;
  fingerprints?: readonly string[];
  classes?: readonly CauseClass[];
  /** On other hosts than this one. */
  notOn?: string;
}

export interface AttemptStore {
  /** May be called again for the same attempt: the first start stays. */
  begin(record: AttemptRecord): Promise<void>;
  /** Adds or replaces the plan of an attempt that has begun. */
  plan(attempt: string, plan: Record<string, unknown>): Promise<void>;
  /** False if the attempt never began (then nothing is written). */
  end(
    attempt: string,
    outcome: StoredOutcome,
    /** With `unlessEnded` an end that is written already stays; `times` are added to the known ones. */
    options?: { unlessEnded?: boolean; times?: AttemptTimes },
  ): Promise<boolean>;
  get(attempt: string): Promise<AttemptDocument | null>;
  /** Newest first. */
  ofRun(run: number, limit: number): Promise<AttemptDocument[]>;
  /** All attempts that ended in a span of time, `to` excluded, in no order. */
  endedBetween(from: Date, to: Date): Promise<EndedFigures[]>;
  /** Attempts of this host without an end, which a start of the manager concludes. */
  unfinished(host: string): Promise<AttemptDocument[]>;
  /** Ended attempts of a host since a time, newest first. */
  endedOn(host: string, since: Date, limit: number): Promise<AttemptDocument[]>;
  /** Other hosts that have finished a run since a time, each with the newest such end. */
  successesElsewhere(host: string, since: Date): Promise<{ host: string; last: Date }[]>;
  /** Failures since a time, grouped, most frequent first. It reads 2000 attempts at most. */
  failureGroups(since: Date, limit: number): Promise<GroupedFailures[]>;
  /** Failures, counted or not, newest first; no more than 2000. */
  failures(query: FailureQuery): Promise<PastFailure[]>;
}
