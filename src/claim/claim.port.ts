import type { ExecutorName } from '../executors/executor-name.pure.ts';
import type { RunDocument, Seen } from '../run/run-document.port.ts';

/** A part of a list of candidates. */
export interface CandidatesQuery {
  limit: number;
  /** Number of runs left out at the beginning of the list. */
  skip?: number;
  /** Runs with one of these tags are left out. */
  withoutTags?: readonly string[];
}

export interface NewCandidatesQuery extends CandidatesQuery {
  /** Only runs without this detector: for hosts that may not claim others. */
  withoutDetector?: string;
  /** Also runs tagged `hold-processing`, to explain why they are passed over. */
  includeHeld?: boolean;
  /** Only runs begun before this time, oldest first. */
  begunBefore?: Date;
}

export interface RetriesQuery extends CandidatesQuery {
  giveUpAfter: number;
  /** False leaves out runs whose count of failures is no number, and saves a read. */
  withOddCounts?: boolean;
}

/** Who claims a run. */
export interface ClaimOwner {
  attempt: string;
  host: string;
  /** Where a person wants it processed; absent: as requested before. */
  on?: ExecutorName;
}

/** Candidates, and the claim of one of them. */
export interface ClaimStore {
  /** Untouched runs, newest start first. */
  newCandidates(query: NewCandidatesQuery): Promise<RunDocument[]>;
  /** Failed runs with fewer than `giveUpAfter` failures whose `next_retry` is before `now`, newest start first. */
  retryDue(query: RetriesQuery & { now: Date }): Promise<RunDocument[]>;
  /** The same, but due before `before`, longest overdue first. */
  overdue(query: RetriesQuery & { before: Date }): Promise<RunDocument[]>;
  /**
   * Claims a run in one update, if it is still as seen: untouched, failed, or a stale claim of another
   * holder. Keeps `n_failures`, `reason` and `next_retry`.
   */
  claim(seen: Seen, owner: ClaimOwner): Promise<'claimed' | 'lost'>;
}
