/**
 * When an attempt came how far. All are times of documents, or follow from one by a duration on one
 * machine; what is not known, or has not come, is left out.
 */
export interface AttemptTimes {
  /** The run's start and end, as the data acquisition has written them. */
  runStart?: Date;
  runEnd?: Date;
  /** The host learned that it may take the run; left out if a person named it. */
  noticed?: Date;
  claimed?: Date;
  /** The run became busy. */
  started?: Date;
  /** The first chunk of live data had been read. */
  firstChunk?: Date;
  /** The first chunk of a product was on disk. */
  firstOutput?: Date;
}

/** What the child says of its first steps, seconds since its start. */
export interface FirstSteps {
  firstChunk?: number | null | undefined;
  firstOutput?: number | null | undefined;
}

/** When the first steps were, given when the run became busy, which is when the child is started. */
export function firstStepsAt(
  started: Date | undefined,
  { firstChunk, firstOutput }: FirstSteps,
): Pick<AttemptTimes, 'firstChunk' | 'firstOutput'> {
  if (started === undefined) return {};
  const after = (seconds: number) => new Date(started.getTime() + Math.round(seconds * 1000));
  return {
    ...(firstChunk == null ? {} : { firstChunk: after(firstChunk) }),
    ...(firstOutput == null ? {} : { firstOutput: after(firstOutput) }),
  };
}

/** Durations between the steps of an attempt, seconds; a step that is not known has none. */
export interface Latencies {
  noticeToClaim: number | null;
  claimToStart: number | null;
  startToFirstChunk: number | null;
  /** From the start of the run, not of the attempt. */
  runStartToFirstOutput: number | null;
  /** Only of attempts that made the run done. */
  runEndToDone: number | null;
}

/** Never negative: a run may be done before its end is written. */
export function latenciesOf(
  times: AttemptTimes,
  { ended, done }: { ended: Date; done: boolean },
): Latencies {
  const { runStart, runEnd, noticed, claimed, started, firstChunk, firstOutput } = times;
  return {
    noticeToClaim: between(noticed, claimed),
    claimToStart: between(claimed, started),
    startToFirstChunk: between(started, firstChunk),
    runStartToFirstOutput: done ? between(runStart, firstOutput) : null,
    runEndToDone: done ? between(runEnd, ended) : null,
  };
}

function between(from: Date | undefined, to: Date | undefined): number | null {
  if (from === undefined || to === undefined) return null;
  return Math.max(0, (to.getTime() - from.getTime()) / 1000);
}

const NAMES = [
  'runStart',
  'runEnd',
  'noticed',
  'claimed',
  'started',
  'firstChunk',
  'firstOutput',
] as const satisfies readonly (keyof AttemptTimes)[];

/** From a document; what is no date there is left out. */
export function readTimes(value: unknown): AttemptTimes {
  if (typeof value !== 'object' || value === null) return {};
  const given = value as Record<string, unknown>;
  return Object.fromEntries(
    NAMES.flatMap((name) => (given[name] instanceof Date ? [[name, given[name]]] : [])),
  );
}
