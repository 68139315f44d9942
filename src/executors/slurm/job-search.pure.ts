import type { ListedJob } from './job-listing.pure.ts';

/** Two listings without the job must lie this far apart before it is submitted again. */
export const SEARCH_SECONDS = 60;

/** What is known of a job that was, or may have been, submitted. */
export interface JobTrace {
  attempt: string;
  /** A job has begun it, or somebody has made sure that none will. */
  begun: boolean;
  /** Since when it has been looked for, s on the clock of `listings`; null: not yet. */
  missingSince: number | null;
}

/** The newest answer of Slurm. */
export interface Listing {
  jobs: readonly ListedJob[];
  /** When it was requested, in seconds. */
  at: number;
}

export type JobSearch =
  | { kind: 'begun' }
  | { kind: 'found'; jobs: readonly ListedJob[] }
  /** Nobody can tell yet. */
  | { kind: 'missing'; since: number }
  /** Slurm has no such job: it is submitted again, under the same attempt. */
  | { kind: 'lost' };

/**
 * Looks for the job of an attempt in a listing. A controller that is killed may forget a job it has
 * accepted, or list one late: only two answers a minute apart say that there is none.
 */
export function searchJob(trace: JobTrace, listing: Listing): JobSearch {
  if (trace.begun) return { kind: 'begun' };
  const jobs = listing.jobs.filter(({ attempt }) => attempt === trace.attempt);
  if (jobs.length > 0) return { kind: 'found', jobs };
  const since = trace.missingSince ?? listing.at;
  return listing.at - since >= SEARCH_SECONDS ? { kind: 'lost' } : { kind: 'missing', since };
}
