import type { Verdict } from '../reach.pure.ts';
import { endOfJobs } from './job-life.pure.ts';
import type { ListedJob } from './job-listing.pure.ts';
import { type JobEnd, standingOf } from './job-state.pure.ts';
import type { NodeFailure } from './node-failures.pure.ts';

/** Slurm's words in the output of a job that used more memory than it may (`slurmstepd`, cgroups). */
const OUT_OF_MEMORY = /oom[- _]kill|out[- ]of[- ]memory|exceeded (job|step) memory limit/i;

/** Whether the output of a job says that it used too much memory. */
export function tellsOfMemory(output: string): boolean {
  return OUT_OF_MEMORY.test(output);
}

/** All that is known of the jobs of an attempt but its own files. */
export interface JobFacts {
  /** As the newest listing has them. */
  jobs: readonly ListedJob[];
  isBegun: boolean;
  node: string | null;
  /** Of the job's own shell; null: it has not written it. */
  exit: { code: number; stopped: 'time_limit' | null } | null;
  /** The last lines of the job's output; '' before its end. */
  output: string;
}

/**
 * Why the jobs of an attempt ended, or will never begin it, and whose fault that is. What the files of
 * the attempt say comes before all of it.
 */
export function verdictOf(facts: JobFacts): Verdict | null {
  const { jobs, isBegun, exit, output } = facts;
  if (exit?.stopped === 'time_limit') return TOO_SLOW;
  if (isBegun && tellsOfMemory(output)) return { kind: 'out_of_memory' };
  const blocked = blockOf(jobs);
  if (blocked !== null && !isBegun) return surroundings(blocked);
  const end = endOfJobs(jobs);
  const isOver = jobs.every(({ state, reason }) => standingOf(state, reason).kind === 'over');
  if (end !== null && isOver) return verdictOfEnd(end, facts);
  if (!isBegun && exit !== null) return surroundings(notBegunText(exit.code, output));
  return null;
}

/** Whether the node of a job is at fault for how it ended, and how. */
export function nodeFaultOf({
  jobs,
  isBegun,
  exit,
}: Pick<JobFacts, 'jobs' | 'isBegun' | 'exit'>): NodeFailure['kind'] | null {
  const isOver = jobs.every(({ state, reason }) => standingOf(state, reason).kind === 'over');
  if (isOver && endOfJobs(jobs) === 'node_lost') return 'lost';
  // Above are signals: it was cancelled.
  return !isBegun && exit !== null && exit.code > 0 && exit.code < 128 ? 'not_begun' : null;
}

const TOO_SLOW: Verdict = { kind: 'ended', ended: { kind: 'timed_out', which: 'processing' } };

function surroundings(reason: string): Verdict {
  return { kind: 'ended', ended: { kind: 'host_problem', reason } };
}

/** Why Slurm will never begin one of these jobs as it is. */
export function blockOf(jobs: readonly ListedJob[]): string | null {
  for (const { id, state, reason } of jobs) {
    const standing = standingOf(state, reason);
    if (standing.kind === 'never_begins') {
      return `job ${id} waits in Slurm for a reason that does not end by itself: ${standing.reason}`;
    }
    if (standing.kind === 'requeued') return `Slurm has put job ${id} back into its queue`;
  }
  return null;
}

function verdictOfEnd(end: JobEnd, { isBegun, node, exit, output }: JobFacts): Verdict | null {
  switch (end) {
    case 'out_of_memory':
      return { kind: 'out_of_memory' };
    case 'too_slow':
      return TOO_SLOW;
    case 'node_lost':
      return isBegun ? { kind: 'lost', node } : surroundings('the node of its job was lost');
    case 'preempted':
      return surroundings('its job had to make room for another one in Slurm');
    case 'cancelled': {
      const reason = 'its job was cancelled in Slurm';
      return { kind: 'ended', ended: { kind: 'operator', reason } };
    }
    case 'completed':
    case 'failed':
      return isBegun ? null : surroundings(notBegunText(exit?.code ?? null, output));
  }
}

const LONGEST_OUTPUT = 1000;

function notBegunText(code: number | null, output: string): string {
  const how = code === null ? '' : ` (exit code ${code})`;
  const said = output.trim().slice(-LONGEST_OUTPUT);
  return `its job ended before it began the attempt${how}${said === '' ? '' : `: ${said}`}`;
}
