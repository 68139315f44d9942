import type { Cause, CauseClass } from '../retry/causes.pure.ts';
import type { RunListQuery, RunPage } from '../run/run.port.ts';
import type { RunDocument } from '../run/run-document.port.ts';
import type { Condition } from './run-condition.pure.ts';

/** The filters of a listing; an absent field does not filter. */
export interface OverviewFilter {
  condition?: Condition;
  mode?: string;
  detector?: string;
  host?: string;
  tag?: string;
}

/** The part of an ended attempt that statistics use. */
export interface EndedAttempt {
  attempt: string;
  run: number;
  host: string;
  ended: Date;
  outcome: string;
  /** Why it failed; null if it did not. */
  class: CauseClass | null;
  counted: boolean;
  /** When the first chunk of a product was on disk; null: unknown, or there was none. */
  firstOutput: Date | null;
}

/** Why an attempt failed. */
export type FailureCause = Pick<Cause, 'class' | 'plugin'>;

/** A counted failure with its details. */
export interface FailedAttempt extends EndedAttempt {
  fingerprint: string | null;
  plugin: string | null;
  /** The cause in words. */
  cause: string | null;
  reason: string | null;
  traceback: string | null;
  versions: Record<string, string>;
}

/** One heartbeat as it is stored. */
export type StoredSign = { host: string; time: Date } & Record<string, unknown>;

/** Queries for what people see. They write nothing, and an index range bounds each of them. */
export interface OverviewStore {
  /** The newest runs by number, highest first. */
  recent(limit: number): Promise<RunDocument[]>;
  /** All runs in work. */
  working(): Promise<RunDocument[]>;
  /** Number, start and tags of runs that no host has claimed yet. */
  untouched(limit: number): Promise<RunDocument[]>;
  /** Failed runs that began after `since`. */
  failedSince(since: Date, limit: number): Promise<RunDocument[]>;
  /** All failed runs without a time for the next attempt. */
  withoutRetry(limit: number): Promise<RunDocument[]>;
  /** Done runs that began after `since` and are not handed on, newest first; at most `limit` for each status. */
  doneWithoutStatus(since: Date, limit: number): Promise<RunDocument[]>;
  /** Number, start, end and processing times of runs that began after `since`. */
  begunSince(since: Date, limit: number): Promise<RunDocument[]>;
  /** Lists runs like `RunStore.list`, with more filters. */
  list(query: Omit<RunListQuery, 'state' | 'mode'> & OverviewFilter): Promise<RunPage>;
  /** The highest run number, or -1 without runs. */
  highest(): Promise<number>;
  /** All runs with numbers from `from` to `to`, both inclusive, in no order. */
  numbered(from: number, to: number): Promise<RunDocument[]>;
  /** All runs with one of these numbers, in no order. */
  ofNumbers(numbers: readonly number[]): Promise<RunDocument[]>;
  /** Runs by the ids of their documents, in no order. */
  byIds(ids: readonly RunDocument['_id'][]): Promise<RunDocument[]>;
  /** All documents of this number, with all fields. */
  whole(number: number): Promise<RunDocument[]>;
  /** Attempts that ended after `since`. */
  endedSince(since: Date, limit: number): Promise<EndedAttempt[]>;
  /** Why these attempts failed, by their ids; those that did not are left out. */
  causes(attempts: readonly string[]): Promise<Map<string, FailureCause>>;
  /** Counted failures after `since`, newest first. */
  failuresSince(since: Date, limit: number): Promise<FailedAttempt[]>;
  /** Heartbeats of these hosts in a short time span, the newest of each host first. */
  signs(hosts: readonly string[], from: Date, to: Date, limitEach: number): Promise<StoredSign[]>;
  /** Thinned heartbeats of these hosts, one per host every five minutes. */
  thinnedSigns(
    hosts: readonly string[],
    from: Date,
    to: Date,
    limitEach: number,
  ): Promise<StoredSign[]>;
  /** Heartbeats of one host in a time span, newest first; thinned ones before the oldest in `eb_monitor`. */
  signsOf(host: string, from: Date, to: Date, limit: number): Promise<StoredSign[]>;
}
