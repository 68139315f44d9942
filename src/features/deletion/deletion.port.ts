import type { Voucher } from './deletion.pure.ts';

/** The deletion of the live data of one run, requested by the attempt that concluded the run. */
export interface DeletionRequest {
  attempt: string;
  run: number;
  host: string;
}

export interface DeletionFound {
  /** The folder of the live data, and its root as the run document names it. */
  folder: string;
  location: string;
  /** Products that replace the live data. */
  vouchedBy: readonly Voucher[];
  /** How they were checked. */
  how: string;
  /** Files and bytes before the removal. */
  files: number;
  bytes: number;
}

export interface DeletionDocument extends DeletionRequest {
  /** `checking` and `deleting` are unfinished. */
  state: 'checking' | 'deleting' | 'done' | 'refused';
  /** What the deletion waits for; null if nothing is known. */
  problem: string | null;
  /** Why it was refused. */
  cause: string | null;
  begun: Date;
  /** When the check of the products ended. */
  checked: Date | null;
  ended: Date | null;
  folder: string | null;
  location: string | null;
  vouchedBy: readonly Voucher[];
  how: string | null;
  files: number | null;
  bytes: number | null;
  bytesFreed: number | null;
}

/** Collection `bootstrax_deletions` of the runs database. A second execution of a write does no harm. */
export interface DeletionStore {
  /** Requests a deletion, unless it was requested before; with `again`, also if it was refused. */
  request(request: DeletionRequest, options?: { again: boolean }): Promise<void>;
  /** Records that the check has succeeded: from now on live data is removed. */
  begin(attempt: string, found: DeletionFound): Promise<void>;
  /** Records what the deletion waits for. */
  note(attempt: string, problem: string | null): Promise<void>;
  done(attempt: string): Promise<void>;
  refuse(attempt: string, cause: string): Promise<void>;
  get(attempt: string): Promise<DeletionDocument | null>;
  /** Unfinished deletions of one host, or of all (null); oldest first. */
  unfinished(host: string | null): Promise<DeletionDocument[]>;
  /** Deletions, newest first. */
  ofRun(run: number): Promise<DeletionDocument[]>;
  /** Deletions requested after a time, newest first. */
  since(begun: Date, limit: number): Promise<DeletionDocument[]>;
}
