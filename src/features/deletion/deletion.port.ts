import type { Voucher } from './deletion.pure.ts';

/** The deletion of one run's live data, by the attempt that had concluded the run. */
export interface DeletionRequest {
  attempt: string;
  run: number;
  host: string;
}

export interface DeletionFound {
  /** Where the live data is removed, and the root of it as the run document has it. */
  folder: string;
  location: string;
  /** Products that stand in for it. */
  vouchedBy: readonly Voucher[];
  /** With what they were loaded. */
  how: string;
  /** Before anything was removed. */
  files: number;
  bytes: number;
}

export interface DeletionDocument extends DeletionRequest {
  /** `checking` and `deleting` are unfinished. */
  state: 'checking' | 'deleting' | 'done' | 'refused';
  /** What it waits for; null if nothing is known to be in its way. */
  problem: string | null;
  /** Why it was refused. */
  cause: string | null;
  begun: Date;
  /** When the products had been loaded. */
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

/** Collection `bootstrax_deletions` of the runs database. Each write may be carried out twice. */
export interface DeletionStore {
  /** Asks for a deletion, unless it was asked for before; with `again`, also if it was refused. */
  request(request: DeletionRequest, options?: { again: boolean }): Promise<void>;
  /** The products vouch for it: from here on live data goes. */
  begin(attempt: string, found: DeletionFound): Promise<void>;
  /** What it waits for. */
  note(attempt: string, problem: string | null): Promise<void>;
  done(attempt: string): Promise<void>;
  refuse(attempt: string, cause: string): Promise<void>;
  get(attempt: string): Promise<DeletionDocument | null>;
  /** Of one host, or of all (null); oldest first. */
  unfinished(host: string | null): Promise<DeletionDocument[]>;
  /** Newest first. */
  ofRun(run: number): Promise<DeletionDocument[]>;
  /** Those asked for since a time, newest first. */
  since(begun: Date, limit: number): Promise<DeletionDocument[]>;
}
