import type { Life } from '../reach.pure.ts';
import type { ListedJob } from './job-listing.pure.ts';
import { type JobEnd, standingOf } from './job-state.pure.ts';

/** After a job is over its last files may show this much later on shared storage. */
export const FILES_SECONDS = 90;

/** What is known of an attempt's jobs. */
export interface JobsKnown {
  /** As the newest listing has them. */
  jobs: readonly ListedJob[];
  /** When that was asked for, monotonic seconds; null: Slurm has not answered this manager yet. */
  listedAtSeconds: number | null;
  /** The first listing in which every one of them was over; null: in none. */
  overSinceSeconds: number | null;
  /** A job has taken the attempt. */
  isBegun: boolean;
  /** This attempt was taken from all of its jobs: none begins any more. */
  isKept: boolean;
  /** The job's own shell has written that it is over. */
  hasLastWord: boolean;
  /** What its job has printed tells why it was ended: no file will say more. */
  isTold?: boolean;
  nowSeconds: number;
}

/**
 * Whether the processes of an attempt run, by what Slurm and the job's shell say. A terminal state is
 * no proof of death where the node is lost: its processes may run on. Nothing is wrong with that, as
 * long as nobody takes them for dead.
 */
export function lifeOfJobs(known: JobsKnown): Life {
  const { jobs, isBegun, isKept, hasLastWord, overSinceSeconds, nowSeconds, isTold } = known;
  if (isKept) return 'gone';
  if (hasLastWord) return 'gone';
  const standings = jobs.map(({ state, reason }) => standingOf(state, reason));
  if (standings.some(({ kind }) => kind === 'runs' || kind === 'stands_still')) {
    return isBegun ? 'running' : 'waiting';
  }
  const ends = standings.flatMap((each) => (each.kind === 'over' ? [each.end] : []));
  const isOver = ends.length > 0 && ends.length === jobs.length;
  if (isBegun && (!isOver || ends.includes('node_lost'))) return 'unknown';
  const isSettled = overSinceSeconds !== null && nowSeconds - overSinceSeconds >= FILES_SECONDS;
  if (isOver && (isSettled || isTold === true)) return 'gone';
  return isBegun ? 'running' : 'waiting';
}

/** How the jobs of an attempt have ended, by Slurm's own word; null: it does not say. */
export function endOfJobs(jobs: readonly ListedJob[]): JobEnd | null {
  for (const { state, reason } of jobs) {
    const standing = standingOf(state, reason);
    if (standing.kind === 'over' && standing.end !== 'completed') return standing.end;
  }
  return jobs.some(({ state }) => state === 'COMPLETED') ? 'completed' : null;
}
