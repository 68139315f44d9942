import type { Clock } from '../../infra/clock/clock.ts';
import { within } from '../../infra/concurrency/deadline.ts';
import { SingleFlight } from '../../infra/concurrency/single-flight.ts';
import { type Family, single } from '../../infra/metrics/exposition.pure.ts';
import type { AttemptStore } from '../../retry/attempt-history.port.ts';
import { type EndedFigures, HistoryTotals } from '../../retry/attempt-metrics.pure.ts';

/** Time in which the end of an attempt may be rewritten or appear late, before it is counted. */
const SETTLE_MS = 15_000;
/** Overlap with the last reading, for ends that appear late. */
const OVERLAP_MS = 300_000;
const DAY_MS = 86_400_000;
/** There was no attempt before this date. A search for the first one would read all of them. */
const BEGINNING_MS = Date.UTC(2020, 0, 1);
/** A span with more attempts than this is read in halves from then on, one with few in doubles. */
const MANY = 2000;
const FEW = 200;
/** Pause between two spans of the past: the database serves others too. */
const PAUSE_SECONDS = 0.02;

/**
 * Counts all attempts there have ever been, each once: what ends from the beginning of counting on as
 * it ends, and the past once, backwards in spans of the index. So the figures are the same after each
 * start, and on every dashboard.
 */
export class CountedHistory {
  readonly #attempts: Pick<AttemptStore, 'endedBetween'>;
  readonly #totals = new HistoryTotals();
  /** Attempts that are counted and may be read again, with their ends in ms. */
  readonly #recent = new Map<string, number>();
  #beginMs: number | null = null;
  #untilMs = 0;
  /** All from here on is counted. */
  #backToMs = 0;
  #spanMs = DAY_MS;
  #complete = false;
  readonly #readingNew = new SingleFlight<void>();
  readonly #readingPast = new SingleFlight<void>();
  readonly #clock: Pick<Clock, 'sleep'>;

  constructor(attempts: Pick<AttemptStore, 'endedBetween'>, clock: Pick<Clock, 'sleep'>) {
    this.#attempts = attempts;
    this.#clock = clock;
  }

  /**
   * Counts what has ended since the last call. The past is counted beside it: waited for no longer
   * than `patienceSeconds`. Throws when the database is away; the next call goes on.
   */
  async read(now: Date, patienceSeconds: number): Promise<void> {
    const untilMs = now.getTime() - SETTLE_MS;
    if (this.#beginMs === null) {
      this.#beginMs = this.#backToMs = this.#untilMs = untilMs - OVERLAP_MS;
    }
    const beginMs = this.#beginMs;
    await this.#readingNew.run(() => this.#readNew(beginMs, untilMs));
    if (this.#complete) return;
    const readingPast = this.#readingPast.run(() => this.#readPast());
    await within(this.#clock, patienceSeconds, readingPast);
  }

  /** None before the past is counted: a counter that is still catching up looks like a flood. */
  families(): Family[] {
    return [
      single(
        'gauge',
        'bootstrax_history_complete',
        'Whether all attempts of the past are counted: 1, or 0 while the counters of attempts are missing.',
        this.#complete ? 1 : 0,
      ),
      ...(this.#complete ? this.#totals.families() : []),
    ];
  }

  async #readNew(beginMs: number, untilMs: number): Promise<void> {
    if (untilMs <= this.#untilMs) return;
    const fromMs = Math.max(beginMs, this.#untilMs - OVERLAP_MS);
    for (const attempt of await this.#between(fromMs, untilMs)) {
      if (this.#recent.has(attempt.attempt)) continue;
      this.#recent.set(attempt.attempt, attempt.ended.getTime());
      this.#totals.add(attempt);
    }
    this.#untilMs = untilMs;
    for (const [id, endedMs] of this.#recent) {
      if (endedMs < this.#untilMs - OVERLAP_MS) this.#recent.delete(id);
    }
  }

  async #readPast(): Promise<void> {
    while (this.#backToMs > BEGINNING_MS) {
      const fromMs = this.#backToMs - this.#spanMs;
      const found = await this.#between(fromMs, this.#backToMs);
      for (const attempt of found) this.#totals.add(attempt);
      this.#backToMs = fromMs;
      if (found.length > MANY) this.#spanMs /= 2;
      else if (found.length < FEW) this.#spanMs *= 2;
      await this.#clock.sleep(PAUSE_SECONDS);
    }
    this.#complete = true;
  }

  #between(fromMs: number, toMs: number): Promise<EndedFigures[]> {
    return this.#attempts.endedBetween(new Date(fromMs), new Date(toMs));
  }
}
