import type { Clock } from '../infra/clock/clock.ts';
import type { StoreError } from '../infra/mongo/store-error.ts';
import { boundedLine } from '../infra/values/bounded.pure.ts';
import { idText } from './document-id.ts';

/** After a final refusal a run is tried again this much later: a person may have corrected its document. */
const AGAIN_SECONDS = 3600;
/** After an unexplained refusal a run is tried again this soon; the wait doubles each time. */
const FIRST_AGAIN_SECONDS = 10;
const LONGEST_AGAIN_SECONDS = 600;
/** More runs than this are not remembered: the oldest are forgotten. */
const MOST = 10_000;
const MOST_SHOWN = 20;
const LONGEST_REASON = 300;

interface LeftRun {
  /** Name of the run for people. */
  label: string;
  why: string;
  /** Monotonic seconds. */
  againAt: number;
  /** Number of refusals so far. */
  times: number;
}

/** Runs for which the database refuses a write: each is left alone for a while. */
export class LeftRuns {
  readonly #clock: Clock;
  readonly #runs = new Map<string, LeftRun>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  isLeft(id: unknown): boolean {
    const run = this.#runs.get(idText(id));
    return run !== undefined && this.#clock.monotonicSeconds() < run.againAt;
  }

  /** Returns how long the run is left alone, seconds, and whether this is its first refusal. */
  leave(id: unknown, label: string, error: StoreError): { seconds: number; first: boolean } {
    const key = idText(id);
    const before = this.#runs.get(key);
    const times = (before?.times ?? 0) + 1;
    const seconds =
      error.kind === 'unfit'
        ? AGAIN_SECONDS
        : Math.min(LONGEST_AGAIN_SECONDS, FIRST_AGAIN_SECONDS * 2 ** (times - 1));
    const why = boundedLine(error.message, LONGEST_REASON);
    this.#runs.delete(key);
    this.#runs.set(key, { label, why, againAt: this.#clock.monotonicSeconds() + seconds, times });
    const [oldest] = this.#runs.keys();
    if (this.#runs.size > MOST && oldest !== undefined) this.#runs.delete(oldest);
    return { seconds, first: before === undefined };
  }

  /** The newest runs that are left alone now, for people. */
  shown(): { run: string; why: string }[] {
    const now = this.#clock.monotonicSeconds();
    return [...this.#runs.values()]
      .filter(({ againAt }) => now < againAt)
      .slice(-MOST_SHOWN)
      .map(({ label, why }) => ({ run: label, why }));
  }
}
