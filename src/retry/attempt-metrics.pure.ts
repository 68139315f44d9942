import { type AttemptTimes, type Latencies, latenciesOf } from '../attempt/attempt-times.pure.ts';
import type { ExitCause } from '../attempt/outcome.pure.ts';
import { byLabel, type Family, single } from '../infra/metrics/exposition.pure.ts';
import { Histogram } from '../infra/metrics/histogram.pure.ts';
import { OUTCOMES } from '../run/run.pure.ts';
import { CAUSE_CLASSES } from './causes.pure.ts';

/** The counted figures of an ended attempt. */
export interface EndedFigures {
  attempt: string;
  ended: Date;
  /** It was an attempt at a debt. */
  ofDebt: boolean;
  outcome: string;
  /** Exit cause; null if it had none of its own. */
  cause: string | null;
  /** Cause of the failure; null if it did not fail. */
  meaning: string | null;
  /** Targets that were dropped. */
  dropped: number;
  seconds: number | null;
  peakMemoryBytes: number | null;
  bytes: number | null;
  times: AttemptTimes;
}

const ATTEMPT_OUTCOMES = [...OUTCOMES, 'superseded'] as const;
/** As `bootstrax_attempts` has them, and one for what came to no end of its own. */
const ENDS: Record<ExitCause['kind'] | 'none', 0> = {
  finished: 0,
  strax_error: 0,
  child_died: 0,
  out_of_memory: 0,
  memory_limit: 0,
  timed_out: 0,
  no_progress: 0,
  vanished: 0,
  not_started: 0,
  orphaned: 0,
  host_problem: 0,
  operator: 0,
  superseded: 0,
  manager: 0,
  none: 0,
};

/** Of a label that a later release may give other values. */
const OTHER = 'other';

const SHORT = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200];
const LONG = [0.1, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21600, 86400];
const GIGABYTES = [0.25, 0.5, 1, 2, 4, 8, 16, 32, 64, 128, 256].map((gigabytes) => gigabytes * 1e9);

const LATENCIES: readonly {
  of: keyof Latencies;
  name: string;
  help: string;
  bounds: readonly number[];
}[] = [
  {
    of: 'noticeToClaim',
    name: 'bootstrax_notice_to_claim_seconds',
    help: 'From when a host learned that it may take a run, or a retry fell due, to its claim.',
    bounds: SHORT,
  },
  {
    of: 'claimToStart',
    name: 'bootstrax_claim_to_start_seconds',
    help: 'From the claim of a run to the start of its processing.',
    bounds: SHORT,
  },
  {
    of: 'startToFirstChunk',
    name: 'bootstrax_start_to_first_chunk_seconds',
    help: 'From the start of the processing until the first chunk of live data had been read.',
    bounds: LONG,
  },
  {
    of: 'runStartToFirstOutput',
    name: 'bootstrax_run_start_to_first_output_seconds',
    help: 'From the start of a run to the first output of the attempt that made it done.',
    bounds: LONG,
  },
  {
    of: 'runEndToDone',
    name: 'bootstrax_run_end_to_done_seconds',
    help: 'From the end of a run until it was done.',
    bounds: LONG,
  },
];

/** Sums over all ended attempts; each must be added once, in any order. */
export class HistoryTotals {
  readonly #outcomes = zeros(ATTEMPT_OUTCOMES);
  readonly #ends = zeros(Object.keys(ENDS));
  readonly #meanings = zeros(CAUSE_CLASSES);
  readonly #debts = zeros(ATTEMPT_OUTCOMES);
  readonly #latencies = new Map(LATENCIES.map(({ of, bounds }) => [of, new Histogram(bounds)]));
  readonly #seconds = new Histogram(LONG);
  readonly #memory = new Histogram(GIGABYTES);
  #doneInPart = 0;
  #bytes = 0;

  add(attempt: EndedFigures): void {
    const done = attempt.outcome === 'done';
    if (attempt.ofDebt) {
      count(this.#debts, attempt.outcome);
      return;
    }
    count(this.#outcomes, attempt.outcome);
    count(this.#ends, attempt.cause ?? 'none');
    if (attempt.meaning !== null) count(this.#meanings, attempt.meaning);
    if (done && attempt.dropped > 0) this.#doneInPart++;
    if (done) this.#bytes += attempt.bytes ?? 0;
    if (attempt.seconds !== null) this.#seconds.observe(attempt.seconds);
    if (attempt.peakMemoryBytes !== null) this.#memory.observe(attempt.peakMemoryBytes);
    const latencies = latenciesOf(attempt.times, { ended: attempt.ended, done });
    for (const [of, histogram] of this.#latencies) {
      const seconds = latencies[of];
      if (seconds !== null) histogram.observe(seconds);
    }
  }

  families(): Family[] {
    return [
      byLabel(
        'counter',
        'bootstrax_attempts_total',
        'Attempts at runs that have ended, by outcome.',
        { label: 'outcome', values: this.#outcomes },
      ),
      byLabel(
        'counter',
        'bootstrax_attempt_ends_total',
        'The same, by how the attempt itself came to its end.',
        { label: 'end', values: this.#ends },
      ),
      byLabel(
        'counter',
        'bootstrax_attempt_failures_total',
        'Attempts that failed, counted as a failure of the run or not, by what the failure means.',
        { label: 'class', values: this.#meanings },
      ),
      byLabel(
        'counter',
        'bootstrax_debt_attempts_total',
        'Attempts at what done runs lack that have ended, by outcome.',
        { label: 'outcome', values: this.#debts },
      ),
      single(
        'counter',
        'bootstrax_runs_done_in_part_total',
        'Attempts that made their run done with fewer targets than wanted.',
        this.#doneInPart,
      ),
      single(
        'counter',
        'bootstrax_processed_bytes_total',
        'Bytes written by attempts that made their run done.',
        this.#bytes,
      ),
      ...LATENCIES.map(({ of, name, help }) => this.#latencies.get(of)!.family(name, help)),
      this.#seconds.family('bootstrax_attempt_duration_seconds', 'How long attempts took.'),
      this.#memory.family(
        'bootstrax_attempt_peak_memory_bytes',
        'Memory of an attempt’s processes at most.',
      ),
    ];
  }
}

function zeros(names: readonly string[]): Map<string, number> {
  return new Map([...names, OTHER].map((name) => [name, 0]));
}

function count(counts: Map<string, number>, name: string): void {
  const known = counts.has(name) ? name : OTHER;
  counts.set(known, (counts.get(known) ?? 0) + 1);
}
