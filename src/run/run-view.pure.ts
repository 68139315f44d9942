import { incompleteInWords } from '../attempt/live-input.pure.ts';
import { defaultRules, type LimitRules } from '../infra/config/rules.pure.ts';
import { readDate } from '../infra/values/bson-values.pure.ts';
import { type BootstraxFields, checkRun, type ParsedRun, type StoredRun } from './run.pure.ts';
import { isMoving } from './stall.pure.ts';
import type { StoredProgress } from './stored-run.pure.ts';

/** One run as `status`, `runs`, the demo and the dashboard show it. Times are ISO 8601 in UTC. */
export interface RunView {
  run: number | null;
  state: string | null;
  /** Tells requeued, set aside and given up apart, which are all `failed`. */
  outcome: string | null;
  host: string | null;
  mode: string | null;
  detectors: readonly string[];
  start: string | null;
  end: string | null;
  /** Length of the run; of a run being taken, its length so far. */
  seconds: number | null;
  /** Data rate of all detectors together; null while it is not known. */
  rateMBps: number | null;
  failures: number;
  nextRetry: string | null;
  reason: string | null;
  malformed: readonly { field: string; problem: string }[];
  /** The same, or what it was set aside for where the document itself can be read. */
  faults: readonly { field: string; problem: string }[];
  tags: readonly string[];
  targets: readonly string[];
  dropped: readonly string[];
  /** Parts of the run that the data lacks, one sentence each. */
  incomplete: readonly string[];
  /** Ids of documents with its number, while it is set aside for them. */
  setAsideFor: readonly string[];
  /** Data types in the document's `data`, live data aside. */
  stored: readonly string[];
  /** From the run's end to the last change of its state; null before. */
  settledAfterSeconds: number | null;
  /** What a claimed run waits for; null: nothing is known. */
  waitsFor: string | null;
  /** Folder on `host` that the run's attempt writes to; null unless it is busy. */
  place: string | null;
  /** Present while the run is processed. */
  progress: ProgressView | null;
}

export interface ProgressView {
  phase: string;
  chunks: number;
  coveredSeconds: number;
  /** Fraction of the run that is read, 0 to 1; while the run is being taken, of its data so far. */
  fraction: number | null;
  mbPerSecond: number | null;
  bytes: number;
  memoryBytes: number;
  /** When all data will be read; null unless the run has ended. */
  estimatedEnd: string | null;
  /** How far the reading is behind the detector while the run is being taken. */
  behindSeconds: number | null;
  /** When a figure last changed; null: not known. */
  movedAt: string | null;
  /** From then to its newest heartbeat. */
  stillSeconds: number | null;
  /** What of the live data it waits for; null: nothing is known. */
  waitsFor: string | null;
  /** Without progress for longer than the limit. */
  isStalled: boolean;
}

/** Without progress for longer than this a run is stalled. */
export type ViewLimits = Pick<LimitRules, 'stalledSeconds'>;

/** Folder to which the present attempt writes; null without one. */
export function placeNow({ bootstrax, own }: StoredRun): string | null {
  return bootstrax.state === 'busy' ? (own.plan?.place ?? null) : null;
}

/** The view of a run document; `now` by the server's clock. */
export function runView(
  stored: StoredRun,
  now: Date,
  limits: ViewLimits = defaultRules.limits,
): RunView {
  const { plan, incomplete, sameNumber, progress } = stored.own;
  const parsed = checkRun(stored);
  const described = describe(parsed, now);
  return {
    ...described,
    faults: described.malformed.length > 0 ? described.malformed : stored.own.malformed,
    targets: plan?.targets ?? [],
    dropped: plan?.dropped ?? [],
    incomplete: incomplete === null ? [] : incompleteInWords(incomplete),
    setAsideFor: sameNumber,
    place: placeNow(stored),
    progress: progress === null ? null : progressOf(progress, parsed, { now, limits }),
  };
}

type Described = Omit<
  RunView,
  'faults' | 'targets' | 'dropped' | 'incomplete' | 'setAsideFor' | 'place' | 'progress'
>;

function describe(parsed: ParsedRun, now: Date): Described {
  if (parsed.kind === 'malformed') {
    const { number, bootstrax, tags, problems } = parsed.malformed;
    return {
      ...fromFields(number, bootstrax, tags),
      mode: null,
      detectors: [],
      start: null,
      end: null,
      seconds: null,
      rateMBps: null,
      malformed: problems,
      stored: [],
      settledAfterSeconds: null,
    };
  }
  const { number, bootstrax, tags, mode, detectors, start, end, data, rateMBps } = parsed.run;
  return {
    ...fromFields(number, bootstrax, tags),
    mode,
    detectors,
    start: start.toISOString(),
    end: end?.toISOString() ?? null,
    seconds: ((end ?? now).getTime() - start.getTime()) / 1000,
    rateMBps,
    malformed: [],
    stored: [...new Set(data.map(({ type }) => type))].filter((type) => type !== 'live').sort(),
    settledAfterSeconds:
      end === null || bootstrax.time === null || bootstrax.state === null
        ? null
        : (bootstrax.time.getTime() - end.getTime()) / 1000,
  };
}

function fromFields(run: number | null, fields: BootstraxFields, tags: readonly string[]) {
  return {
    run,
    state: fields.state,
    outcome: fields.outcome,
    host: fields.host,
    failures: fields.failures,
    nextRetry: fields.nextRetry?.toISOString() ?? null,
    reason: fields.reason,
    waitsFor: fields.waitsFor ?? null,
    tags,
  };
}

function speedOf(coveredSeconds: number, seconds: number): number {
  return seconds > 0 ? coveredSeconds / seconds : 0;
}

/** How far a run is processed and when it will be, at `speed` seconds of data a second; 0: it stands still. */
function forecastOf(
  { start, end, now }: { start: Date; end: Date | null; now: Date },
  coveredSeconds: number,
  speed: number,
): Pick<ProgressView, 'fraction' | 'estimatedEnd' | 'behindSeconds'> {
  const length = ((end ?? now).getTime() - start.getTime()) / 1000;
  const left = Math.max(0, length - coveredSeconds);
  return {
    fraction: length > 0 ? Math.min(1, coveredSeconds / length) : null,
    estimatedEnd: end !== null && speed > 0 ? isoAfter(now, left / speed) : null,
    behindSeconds: end === null ? left : null,
  };
}

/** Null if a part of the progress is missing. */
function progressOf(
  stored: StoredProgress,
  parsed: ParsedRun,
  { now, limits }: { now: Date; limits: ViewLimits },
): ProgressView | null {
  const { phase, chunks, coveredSeconds, bytes, memoryBytes, seconds, mbPerSecond } = stored;
  if (phase === null || chunks === null || coveredSeconds === null) return null;
  if (bytes === null || memoryBytes === null || seconds === null) return null;
  if (parsed.kind !== 'run') return null;
  const { start, end, bootstrax } = parsed.run;
  const { moved, waitsFor } = stored;
  const stillSeconds = moved === null ? null : secondsFrom(moved, bootstrax.time ?? now);
  const isStalled = (stillSeconds ?? 0) > limits.stalledSeconds;
  const moves = !isStalled && isMoving({ stillSeconds }, { seconds, chunks });
  return {
    ...{ phase, chunks, coveredSeconds, mbPerSecond, bytes, memoryBytes },
    ...forecastOf(
      { start, end, now },
      coveredSeconds,
      moves ? speedOf(coveredSeconds, seconds) : 0,
    ),
    movedAt: moved?.toISOString() ?? null,
    ...{ stillSeconds, waitsFor, isStalled },
  };
}

function secondsFrom(from: Date, to: Date): number {
  return Math.max(0, (to.getTime() - from.getTime()) / 1000);
}

/** Null if the time is beyond the range of dates. */
function isoAfter(now: Date, seconds: number): string | null {
  return readDate(new Date(now.getTime() + seconds * 1000))?.toISOString() ?? null;
}
