import type { CauseClass } from '../retry/causes.pure.ts';

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

/** The part of a run that the plots use. */
export interface TakenRun {
  start: Date;
  end: Date | null;
  /** When the first chunk of a product was on disk, in the attempt that made the run done or is present. */
  firstOutput: Date | null;
  /** When the run was done; null before. */
  done: Date | null;
  /** When its last attempt began processing. */
  began: Date | null;
  /** Detector time processed so far, while the run is busy. */
  coveredSeconds: number | null;
  mode: string | null;
  /** Average rate of live data over all its detectors; null while it is unknown. */
  rateMBps: number | null;
}

export interface LatencyPlot extends Hours {
  /** From the start of a run to its first output, seconds; null in hours without runs. */
  outputP50: (number | null)[];
  outputP95: (number | null)[];
  /** Median of the seconds from the end of a run to done. */
  doneP50: (number | null)[];
  doneP95: (number | null)[];
}

/** Quantiles for each hour in which runs began or ended. */
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

// A run may be done before its end is written.
function secondsBetween(from: Date, to: Date): number {
  return Math.max(0, (to.getTime() - from.getTime()) / 1000);
}

/** The smallest value that at least this fraction of all values does not exceed; null without values. */
export function percentile(values: readonly number[], share: number): number | null {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? null;
}

export interface ThroughputPlot extends Hours {
  /** `MB/s` of live data where the rates of runs are known, else minutes of detector time per hour. */
  unit: 'MB/s' | 'min per hour';
  /** Sum over detectors that take runs separately; null where a rate is unknown. */
  taken: (number | null)[];
  /** Counted in the hours of the processing, whether or not the run was done then. */
  processed: (number | null)[];
}

/** Live data taken and processed, hour by hour. */
export function throughputPlot(
  runs: readonly TakenRun[],
  now: Date,
  hours: number,
): ThroughputPlot {
  const at = hourBins(now, hours);
  const rated = withRates(runs);
  const inMB = rated.some(({ rateMBps }) => rateMBps !== null);
  const perHour = inMB ? 1 / 3600 : 1 / 60;
  const amount = (seconds: number, rateMBps: number | null) => {
    if (!inMB) return seconds * perHour;
    return rateMBps === null ? null : seconds * rateMBps * perHour;
  };
  const sums = (parts: (run: TakenRun) => { from: Date; to: Date; seconds: number } | null) =>
    at.map((begin) =>
      rated.reduce<number | null>((sum, run) => {
        const part = parts(run);
        if (part === null || sum === null) return sum;
        const seconds = part.seconds * shareWithin(part.from, part.to, begin * 1000);
        if (seconds === 0) return sum;
        const more = amount(seconds, run.rateMBps);
        return more === null ? null : sum + more;
      }, 0),
    );
  return {
    at,
    unit: inMB ? 'MB/s' : 'min per hour',
    taken: sums(({ start, end }) => {
      const to = end ?? now;
      return { from: start, to, seconds: secondsBetween(start, to) };
    }),
    processed: sums(({ start, end, began, done, coveredSeconds }) => {
      const to = done ?? now;
      const seconds = done !== null && end !== null ? secondsBetween(start, end) : coveredSeconds;
      return seconds === null ? null : { from: began ?? to, to, seconds };
    }),
  };
}

/** A run gets its rate at its end. Before, that of the newest run of the same mode is used. */
function withRates(runs: readonly TakenRun[]): TakenRun[] {
  const known = runs
    .filter(({ rateMBps }) => rateMBps !== null)
    .sort((a, b) => b.start.getTime() - a.start.getTime());
  return runs.map((run) =>
    run.rateMBps !== null || run.end !== null
      ? run
      : { ...run, rateMBps: known.find(({ mode }) => mode === run.mode)?.rateMBps ?? null },
  );
}

/** The fraction of a time span that lies in the hour from `beginMs`, 0 to 1. */
function shareWithin(from: Date, to: Date, beginMs: number): number {
  const length = to.getTime() - from.getTime();
  if (length <= 0) return to.getTime() >= beginMs && to.getTime() < beginMs + HOUR_MS ? 1 : 0;
  const within = Math.min(to.getTime(), beginMs + HOUR_MS) - Math.max(from.getTime(), beginMs);
  return Math.max(0, within) / length;
}

/** The kinds of ends of attempts that the plot shows. */
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
  stuck: 'hanging or too slow',
  surroundings: 'host, disk, database',
  person: 'stopped by a person',
};

/** One attempt that has ended. */
export interface PlottedAttempt {
  ended: Date;
  outcome: string;
  /** Why it failed; null if it did not. */
  class: CauseClass | null;
  counted: boolean;
}

/** How an attempt ended, for the plot. */
export function outcomeKind({ outcome, class: cause, counted }: PlottedAttempt): OutcomeKind {
  if (outcome === 'done') return 'done';
  if (outcome === 'abandoned') return 'person';
  if (cause !== null) return KIND_OF_CLASS[cause];
  return counted ? 'error' : 'surroundings';
}

const KIND_OF_CLASS: Readonly<Record<CauseClass, OutcomeKind>> = {
  out_of_memory: 'memory',
  hang: 'stuck',
  input_not_ready: 'error',
  corrupt_data: 'error',
  plugin_error: 'error',
  unknown: 'error',
  calibration_or_database: 'surroundings',
  configuration: 'surroundings',
  disk: 'surroundings',
  host: 'surroundings',
  vanished: 'surroundings',
  manager: 'surroundings',
  operator: 'person',
};

export interface OutcomePlot extends Hours {
  counts: Record<OutcomeKind, number[]>;
}

/** Ended attempts per hour, by kind. */
export function outcomePlot(
  attempts: readonly PlottedAttempt[],
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
