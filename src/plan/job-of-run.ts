import { type Plan, planSchema } from '../attempt/attempt.pure.ts';
import type { ExecutorName } from '../executors/executor-name.pure.ts';
import type { JobRules } from '../executors/job-rules.pure.ts';
import type { Environment } from '../ports/environment.ts';
import type { AttemptDocument } from '../retry/attempt-history.port.ts';
import type { Run } from '../run/run.pure.ts';
import { type EarlierJob, mayGrow, resourcesOf } from './job-resources.pure.ts';

/** The fields of a plan in the history that say what its job asked for. */
const jobPlanSchema = planSchema.pick({ job: true, cores: true });

/** What ran out of memory gets this much more. */
const MORE_MEMORY = 1.5;

/** A run that is planned, and what is known of it; `history`: newest first. */
interface JobFacts {
  run: Run;
  to: ExecutorName;
  rateMBps: number | null;
  history: readonly AttemptDocument[];
}

/** What the job of an attempt asks for; null: it runs on its host. */
export function jobFor(
  { jobs, cluster }: Pick<Environment, 'jobs' | 'cluster'>,
  { run, to, rateMBps, history }: JobFacts,
): Plan['job'] {
  if (to === 'local' || jobs === null) return null;
  const neededBytes = memoryNeeded(history);
  const { memoryBytes, seconds } = resourcesOf(
    {
      cores: 1,
      expectedBytes: Math.max(expectedMemory(rateMBps, jobs), neededBytes ?? 0),
      expectedSeconds: lengthOf(run),
      earlier: [...history].reverse().flatMap(earlierJob),
    },
    limitsOf(jobs),
  );
  const needed = neededBytes === null ? {} : { neededBytes };
  const excluded = [...(cluster?.avoids(run.number) ?? [])];
  return { memoryBytes, seconds, excluded, ...needed };
}

function expectedMemory(rateMBps: number | null, rules: JobRules): number {
  return rules.memoryBytes + rules.bytesPerMBps * Math.max(0, rateMBps ?? 0);
}

/** What a run is known to need, since its newest attempt ran out of memory; null: it did not. */
export function memoryNeeded(history: readonly AttemptDocument[]): number | null {
  const newest = history.find(({ result }) => result !== null);
  if (newest?.result == null || endOf(newest.result.cause) !== 'out_of_memory') return null;
  const [job] = earlierJob(newest);
  const had = Math.max(newest.result.peakMemoryBytes ?? 0, job?.asked.memoryBytes ?? 0);
  return had === 0 ? null : had * MORE_MEMORY;
}

/**
 * The history without what only the limits of jobs, or of places with less memory, made fail: a job
 * that asks for more memory or time next needs no fewer plugins.
 */
export function withoutGrowing(
  { jobs }: Pick<Environment, 'jobs'>,
  to: ExecutorName,
  history: readonly AttemptDocument[],
): AttemptDocument[] {
  return history.map((attempt) => {
    const { result } = attempt;
    if (jobs === null || result?.meaning == null || !grows(attempt, to, jobs)) return attempt;
    const meaning = { ...result.meaning, sheddingHelps: false, lessMemory: false };
    return { ...attempt, result: { ...result, meaning, plugin: null } };
  });
}

/** Whether the next attempt gets more of what this one had too little of. */
function grows(attempt: AttemptDocument, to: ExecutorName, jobs: JobRules): boolean {
  const [job] = earlierJob(attempt);
  if (job !== undefined) {
    const limits = limitsOf(jobs);
    return job.end === 'out_of_memory' ? mayGrow(job.asked, limits) : isSlow(job, jobs.maxSeconds);
  }
  const needed = memoryNeeded([attempt]);
  return to === 'slurm' && needed !== null && needed <= jobs.maxMemoryBytes;
}

function limitsOf({ maxMemoryBytes, maxSeconds }: JobRules) {
  return { maxMemoryBytes, maxSeconds };
}

function isSlow({ end, asked }: EarlierJob, maxSeconds: number): boolean {
  return end === 'too_slow' && asked.seconds < maxSeconds;
}

function lengthOf({ start, end }: Run): number {
  return end === null ? 0 : Math.max(0, (end.getTime() - start.getTime()) / 1000);
}

function earlierJob({ plan, result }: AttemptDocument): EarlierJob[] {
  const parsed = jobPlanSchema.safeParse(plan ?? {});
  if (!parsed.success || parsed.data.job == null || result === null) return [];
  const { cores, job } = parsed.data;
  return [
    {
      asked: { cores, memoryBytes: job.memoryBytes, seconds: job.seconds },
      peakBytes: result.peakMemoryBytes,
      end: endOf(result.cause),
    },
  ];
}

function endOf(cause: string | null): EarlierJob['end'] {
  switch (cause) {
    case 'out_of_memory':
    case 'memory_limit':
      return 'out_of_memory';
    case 'timed_out':
      return 'too_slow';
    default:
      return 'other';
  }
}
