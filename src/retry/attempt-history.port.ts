import type { AttemptTimes } from '../attempt/attempt-times.pure.ts';
import type { Blame, PastFailure } from './blame.pure.ts';
import type { CauseClass, Cause } from './causes.pure.ts';
import type { InputSummary } from '../attempt/live-input.pure.ts';
import type { OutcomeName } from '../run/run.pure.ts';
import type { EndedFigures } from './attempt-metrics.pure.ts';
import type { ExitCause } from '../attempt/outcome.pure.ts';

/** History: one document per attempt. */
export interface AttemptRecord {
  /** 24 hexadecimal digits. */
  attempt: string;
  run: number;
  host: string;
  mode: string | null;
  /** Counted failures before this attempt. */
  failures: number;
  /** It makes up for what a done run lacks, and its end changes nothing of the run's state. */
  ofDebt?: boolean;
  /** `plan.json`, or null if the attempt ended before it had a plan. */
  plan: Record<string, unknown> | null;
  /** Absent in what earlier releases wrote, and in attempts at a debt. */
  times?: AttemptTimes;
}

export interface AttemptOutcome {
  outcome: OutcomeName | 'superseded';
  /** How the attempt itself came to its end; null if it came to none of its own. */
  cause: ExitCause['kind'] | null;
  /** What that means; null for an attempt that did not fail, absent in what earlier releases wrote. */
  meaning?: Cause | null;
  /** Did it count as a failure of the run? */
  counted: boolean;
  reason: string | null;
  traceback: string | null;
  /** Same for errors of the same cause. */
  fingerprint: string | null;
  plugin: string | null;
  seconds: number | null;
  peakMemoryBytes: number | null;
  bytes: number | null;
  /** Of live data, read. */
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
  result: AttemptOutcome | null;
}

export interface GroupedFailures {
  fingerprint: string;
  count: number;
  /** At most 20 run numbers. */
  runs: number[];
  last: Date;
  reason: string;
  /** How many of them counted. */
  counted: number;
  /** Newest failure's; null for what earlier releases wrote. */
  meaning: Cause | null;
  /** Of the newest, for people; null: it came to no end of its own. */
  cause: string | null;
  blame: Blame;
}

/** Failures since a time; all that is named must fit. */
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
    outcome: AttemptOutcome,
    /** With `unlessEnded` an end that somebody has written already stays; `times` are added to the known ones. */
    options?: { unlessEnded?: boolean; times?: AttemptTimes },
  ): Promise<boolean>;
  get(attempt: string): Promise<AttemptDocument | null>;
  /** Newest first. */
  ofRun(run: number, limit: number): Promise<AttemptDocument[]>;
  /** All attempts that ended in a span of time, `to` excluded, in no order. */
  endedBetween(from: Date, to: Date): Promise<EndedFigures[]>;
  /** Attempts of this host without an end: to be settled at start. */
  unfinished(host: string): Promise<AttemptDocument[]>;
  /** Ended attempts of a host since a time, newest first. */
  endedOn(host: string, since: Date, limit: number): Promise<AttemptDocument[]>;
  /** Other hosts that have finished a run since a time, each with the newest such end. */
  successesElsewhere(host: string, since: Date): Promise<{ host: string; last: Date }[]>;
  /** Failures since a time, grouped, most frequent first; looks at no more than 2000 attempts. */
  failureGroups(since: Date, limit: number): Promise<GroupedFailures[]>;
  /** Failures, counted or not, newest first; no more than 2000. */
  failures(query: FailureQuery): Promise<PastFailure[]>;
}
