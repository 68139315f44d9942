import { mayGrow, resourcesOf, type EarlierJob } from './job-resources.pure.ts';
import { planSchema, type Plan } from '../attempt/attempt.pure.ts';
import type { ExecutorName } from '../executors/executor-name.pure.ts';
import type { Environment } from '../ports/environment.ts';
import type { AttemptDocument } from '../retry/attempt-history.port.ts';
import type { Run } from '../run/run.pure.ts';

/** The fields of a plan in the history that say what its job asked for. */
const jobPlanSchema = planSchema.pick({ job: true, cores: true });

/** What the job of an attempt asks for; null: it runs on its host. `history`: newest first. */
export function jobFor(
  { jobs }: Pick<Environment, 'jobs'>,
  run: Run,
  to: ExecutorName,
  history: readonly AttemptDocument[],
): Plan['job'] {
  if (to === 'local' || jobs === null) return null;
  const { memoryBytes, seconds } = resourcesOf(
    {
      cores: 1,
      expectedBytes: jobs.memoryBytes,
      expectedSeconds: lengthOf(run),
      earlier: [...history].reverse().flatMap(earlierJob),
    },
    { maxMemoryBytes: jobs.maxMemoryBytes, maxSeconds: jobs.maxSeconds },
  );
  return { memoryBytes, seconds, excluded: [] };
}

/**
 * The history without what only the limits of jobs made fail: a job that asks for more memory or time
 * next needs no fewer plugins.
 */
export function withoutGrowing(
  { jobs }: Pick<Environment, 'jobs'>,
  history: readonly AttemptDocument[],
): AttemptDocument[] {
  return history.map((attempt) => {
    const { result } = attempt;
    const [job] = earlierJob(attempt);
    if (jobs === null || job === undefined || result === null) return attempt;
    const limits = { maxMemoryBytes: jobs.maxMemoryBytes, maxSeconds: jobs.maxSeconds };
    const grows =
      job.end === 'out_of_memory' ? mayGrow(job.asked, limits) : isSlow(job, jobs.maxSeconds);
    if (!grows || result.meaning == null) return attempt;
    const meaning = { ...result.meaning, sheddingHelps: false, lessMemory: false };
    return { ...attempt, result: { ...result, meaning, plugin: null } };
  });
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
