/** Values in bins of an hour, oldest first. */
export interface Hours {
  /** Beginning of each bin, seconds since 1970 UTC. */
  at: number[];
}

const HOUR_MS = 3_600_000;

/** The last `count` whole hours and the present one. */
export function hourBins(now: Date, count: number): number[] {
  const present = Math.floor(now.getTime() / HOUR_MS);
  return Array.from({ length: count }, (_, i) => (present - count + 1 + i) * 3600);
}

/** A run as far as the plots look at it. */
export interface TakenRun {
  start: Date;
  end: Date | null;
  /** When the first chunk of a product was on disk, of the attempt that made it done or is at it now. */
  firstOutput: Date | null;
  /** When it was done; null while it is not. */
  done: Date | null;
}

export interface LatencyPlot extends Hours {
  /** From the start of a run to its first output, seconds; null in hours without runs. */
  outputP50: (number | null)[];
  outputP95: (number | null)[];
  /** From the end of a run until it was done, seconds. */
  doneP50: (number | null)[];
  doneP95: (number | null)[];
}

/** By the hour in which the run began or ended. */
export function latencyPlot(runs: readonly TakenRun[], now: Date, hours: number): LatencyPlot {
  const at = hourBins(now, hours);
  const outputs = at.map(() => [] as number[]);
  const ends = at.map(() => [] as number[]);
  const first = at[0] ?? 0;
  const bin = (date: Date) => Math.floor((date.getTime() / 1000 - first) / 3600);
  for (const { start, end, firstOutput, done } of runs) {
    if (firstOutput !== null) outputs[bin(start)]?.push(secondsBetween(start, firstOutput));
    if (end !== null && done !== null) ends[bin(end)]?.push(secondsBetween(end, done));
  }
  const p = (lists: number[][], share: number) => lists.map((list) => percentile(list, share));
  return {
    at,
    outputP50: p(outputs, 0.5),
    outputP95: p(outputs, 0.95),
    doneP50: p(ends, 0.5),
    doneP95: p(ends, 0.95),
  };
}

/** A run may be done before its end is written. */
function secondsBetween(from: Date, to: Date): number {
  return Math.max(0, (to.getTime() - from.getTime()) / 1000);
}

/** The smallest value that at least this share of all do not exceed; null without values. */
export function percentile(values: readonly number[], share: number): number | null {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? null;
}

export interface ThroughputPlot extends Hours {
  /** Detector time, minutes within each hour; all detectors that run apart added up. */
  takenMinutes: number[];
  /** Of runs that were done in that hour. */
  processedMinutes: number[];
}

/** What the detector delivers against what is processed. */
export function throughputPlot(
  runs: readonly TakenRun[],
  now: Date,
  hours: number,
): ThroughputPlot {
  const at = hourBins(now, hours);
  const takenMinutes = at.map((begin) =>
    runs.reduce((sum, run) => sum + overlapMinutes(run, begin * 1000, now), 0),
  );
  const processedMinutes = at.map(() => 0);
  const first = at[0] ?? 0;
  for (const { start, end, done } of runs) {
    if (end === null || done === null) continue;
    const bin = Math.floor((done.getTime() / 1000 - first) / 3600);
    if (processedMinutes[bin] === undefined) continue;
    processedMinutes[bin] += secondsBetween(start, end) / 60;
  }
  return { at, takenMinutes, processedMinutes };
}

function overlapMinutes({ start, end }: TakenRun, beginMs: number, now: Date): number {
  const from = Math.max(start.getTime(), beginMs);
  const to = Math.min((end ?? now).getTime(), beginMs + HOUR_MS, now.getTime());
  return Math.max(0, to - from) / 60_000;
}

/** What an attempt came to, in the few kinds that a person tells apart. */
export const OUTCOME_KINDS = [
  'done',
  'error',
  'memory',
  'stuck',
  'surroundings',
  'person',
] as const;
export type OutcomeKind = (typeof OUTCOME_KINDS)[number];

export const OUTCOME_WORDS: Readonly<Record<OutcomeKind, string>> = {
  done: 'done',
  error: 'error in processing',
  memory: 'out of memory',
  stuck: 'stuck or too slow',
  surroundings: 'host, disk, database',
  person: 'ended by a person',
};

/** One ended attempt. */
export interface AttemptEnd {
  ended: Date;
  outcome: string;
  cause: string | null;
  counted: boolean;
}

/** The kind of an attempt's end. */
export function outcomeKind({ outcome, cause, counted }: AttemptEnd): OutcomeKind {
  if (outcome === 'done') return 'done';
  if (outcome === 'abandoned') return 'person';
  switch (cause) {
    case 'out_of_memory':
    case 'memory_limit':
      return 'memory';
    case 'timed_out':
    case 'no_progress':
      return 'stuck';
    case 'operator':
    case 'manager':
      return 'person';
    case 'host_problem':
    case 'vanished':
    case 'not_started':
    case 'orphaned':
      return 'surroundings';
    default:
      return counted ? 'error' : 'surroundings';
  }
}

export interface OutcomePlot extends Hours {
  counts: Record<OutcomeKind, number[]>;
}

/** Ended attempts per hour, by kind. */
export function outcomePlot(
  attempts: readonly AttemptEnd[],
  now: Date,
  hours: number,
): OutcomePlot {
  const at = hourBins(now, hours);
  const first = at[0] ?? 0;
  const counts = Object.fromEntries(OUTCOME_KINDS.map((kind) => [kind, at.map(() => 0)])) as Record<
    OutcomeKind,
    number[]
  >;
  for (const attempt of attempts) {
    const bin = Math.floor((attempt.ended.getTime() / 1000 - first) / 3600);
    const series = counts[outcomeKind(attempt)];
    if (series[bin] !== undefined) series[bin]++;
  }
  return { at, counts };
}
