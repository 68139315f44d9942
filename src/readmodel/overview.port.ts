import type { CauseClass } from '../retry/causes.pure.ts';
import type { Condition } from './run-condition.pure.ts';
import type { RunDocument } from '../run/run-document.port.ts';
import type { RunListQuery, RunPage } from '../run/run.port.ts';

/** Which runs a listing shows; what is left out is not asked. */
export interface OverviewFilter {
  condition?: Condition;
  mode?: string;
  detector?: string;
  host?: string;
  tag?: string;
}

/** An attempt that has ended, as far as statistics look at it. */
export interface EndedAttempt {
  attempt: string;
  run: number;
  host: string;
  ended: Date;
  outcome: string;
  /** Why it failed; null if it did not. */
  class: CauseClass | null;
  counted: boolean;
  /** The first chunk of a product was on disk; null if that is not known, or never came. */
  firstOutput: Date | null;
}

/** A counted failure with its story. */
export interface FailedAttempt extends EndedAttempt {
  fingerprint: string | null;
  plugin: string | null;
  /** For people. */
  cause: string | null;
  reason: string | null;
  traceback: string | null;
  versions: Record<string, string>;
}

/** One life sign, as it is stored. */
export type StoredSign = { host: string; time: Date } & Record<string, unknown>;

/** What people look at. Nothing here is written, and every query is bounded by an index range. */
export interface OverviewStore {
  /** The newest runs by number, highest first. */
  recent(limit: number): Promise<RunDocument[]>;
  /** All runs in work. */
  working(): Promise<RunDocument[]>;
  /** Untouched runs: number, start, tags. */
  untouched(limit: number): Promise<RunDocument[]>;
  /** Failed runs begun since. */
  failedSince(since: Date, limit: number): Promise<RunDocument[]>;
  /** Failed runs without a time for another try, whenever they began. */
  withoutRetry(limit: number): Promise<RunDocument[]>;
  /** Done runs begun since that have no status which hands them on, newest first, so many of each status. */
  doneWithoutStatus(since: Date, limit: number): Promise<RunDocument[]>;
  /** Runs begun since: number, start, end, and when they were processed. */
  begunSince(since: Date, limit: number): Promise<RunDocument[]>;
  /** Lists runs as `RunStore.list`, by more filters. */
  list(query: Omit<RunListQuery, 'state' | 'mode'> & OverviewFilter): Promise<RunPage>;
  /** The highest run number, or -1 without runs. */
  highest(): Promise<number>;
  /** All runs with numbers from `from` to `to`, both inclusive, in no order. */
  numbered(from: number, to: number): Promise<RunDocument[]>;
  /** All runs with one of these numbers, in no order. */
  ofNumbers(numbers: readonly number[]): Promise<RunDocument[]>;
  /** Runs by the ids of their documents, in no order. */
  byIds(ids: readonly RunDocument['_id'][]): Promise<RunDocument[]>;
  /** All documents of this number, whole. */
  whole(number: number): Promise<RunDocument[]>;
  /** Attempts that ended since. */
  endedSince(since: Date, limit: number): Promise<EndedAttempt[]>;
  /** Counted failures since, newest first. */
  failuresSince(since: Date, limit: number): Promise<FailedAttempt[]>;
  /** Life signs of these hosts in a short span of time, the newest of each first. */
  signs(hosts: readonly string[], from: Date, to: Date, limitEach: number): Promise<StoredSign[]>;
  /** The same of the thinned life signs, one of a host every five minutes. */
  thinnedSigns(
    hosts: readonly string[],
    from: Date,
    to: Date,
    limitEach: number,
  ): Promise<StoredSign[]>;
  /** Life signs of one host in a span of time, newest first; thinned before the oldest in `eb_monitor`. */
  signsOf(host: string, from: Date, to: Date, limit: number): Promise<StoredSign[]>;
}
