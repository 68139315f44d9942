/** What a job asks Slurm for. */
export interface JobResources {
  cores: number;
  memoryBytes: number;
  /** Slurm ends the job after this long. */
  seconds: number;
}

/** What is known of the run and of the attempts at it before. */
export interface ResourceFacts {
  /** Of the plan. */
  cores: number;
  /** Expected for the run's data rate. */
  expectedBytes: number;
  expectedSeconds: number;
  /** Newest last: what the earlier attempts on Slurm asked for, used, and how they ended. */
  earlier: readonly EarlierJob[];
}

export interface EarlierJob {
  asked: JobResources;
  /** Null: it was never measured. */
  peakBytes: number | null;
  end: 'out_of_memory' | 'too_slow' | 'other';
}

export interface ResourceLimits {
  maxMemoryBytes: number;
  /** Of the partition; null: it has none. */
  maxSeconds: number | null;
}

const MARGIN = 1.15;
const PEAK_MARGIN = 1.3;
const GROWTH_AFTER_OUT_OF_MEMORY = 1.5;
const EXPECTED_TIMES = 3;
const GROWTH_AFTER_TIMEOUT = 2;
const LEAST_SECONDS = 1800;
const LEAST_BYTES = 500_000_000;

/** What the next job of a run asks for; more after a job that had too little. */
export function resourcesOf(facts: ResourceFacts, limits: ResourceLimits): JobResources {
  const last = facts.earlier.at(-1);
  const longest = Math.max(0, ...facts.earlier.map(({ asked }) => asked.seconds));
  const wanted = Math.max(LEAST_SECONDS, EXPECTED_TIMES * facts.expectedSeconds);
  const seconds =
    last?.end === 'too_slow'
      ? Math.max(wanted, longest * GROWTH_AFTER_TIMEOUT)
      : Math.max(wanted, longest);
  return {
    cores: facts.cores,
    memoryBytes: Math.ceil(Math.min(limits.maxMemoryBytes, memoryOf(facts))),
    seconds: Math.ceil(Math.min(limits.maxSeconds ?? Infinity, seconds)),
  };
}

/** Whether a job that ran out of memory may get more: only if not is a plugin left out. */
export function mayGrow(asked: JobResources, { maxMemoryBytes }: ResourceLimits): boolean {
  return asked.memoryBytes < maxMemoryBytes;
}

function memoryOf({ expectedBytes, earlier }: ResourceFacts): number {
  const byRate = Math.max(LEAST_BYTES, expectedBytes * MARGIN);
  const last = earlier.at(-1);
  if (last === undefined) return byRate;
  if (last.end === 'out_of_memory') {
    const most = Math.max(...earlier.map(({ asked }) => asked.memoryBytes));
    return Math.max(byRate, most * GROWTH_AFTER_OUT_OF_MEMORY);
  }
  const { peakBytes } = last;
  return peakBytes === null ? byRate : Math.max(LEAST_BYTES, peakBytes * PEAK_MARGIN);
}
