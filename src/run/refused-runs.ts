import { boundedLine } from '../infra/values/bounded.pure.ts';
import { idText } from './document-id.ts';
import type { StoreError } from '../infra/mongo/store-error.ts';
import type { Clock } from '../infra/clock/clock.ts';

/** What the database refuses for good is looked at again after so long: somebody may have mended it. */
const AGAIN_SECONDS = 3600;
/** What it refuses without saying why is looked at again this soon, and then after twice as long. */
const FIRST_AGAIN_SECONDS = 10;
const LONGEST_AGAIN_SECONDS = 600;
/** Nobody can look at more of them; those that were left first are forgotten. */
const MOST = 10_000;
const MOST_SHOWN = 20;
const LONGEST_REASON = 300;

interface LeftRun {
  /** For people. */
  label: string;
  why: string;
  /** Monotonic seconds. */
  againAt: number;
  /** It was left so often. */
  times: number;
}

/** Runs of which the database refuses what has to be written: each is left alone for a while. */
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

  /** Answers for how long it is left alone, seconds, and whether that is news. */
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

  /** Those left alone now, for people; the newest. */
  shown(): { run: string; why: string }[] {
    const now = this.#clock.monotonicSeconds();
    return [...this.#runs.values()]
      .filter(({ againAt }) => now < againAt)
      .slice(-MOST_SHOWN)
      .map(({ label, why }) => ({ run: label, why }));
  }
}
