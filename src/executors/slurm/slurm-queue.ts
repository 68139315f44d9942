import type { Clock } from '../../infra/clock/clock.ts';
import { Wake } from '../../infra/concurrency/wake.ts';
import type { ListedJob } from './job-listing.pure.ts';
import type { SlurmClient } from './slurm-client.ts';
import { SlurmError } from './slurm-client.ts';

/** Between two listings while nothing is awaited, and at the least. */
const LIST_SECONDS = 30;
const SOONEST_SECONDS = 10;
/** Calls that failed one after the other before the controller counts as away. */
const AWAY_AFTER = 3;

/** The newest answer: all jobs of attempts. */
export interface QueueAnswer {
  jobs: ReadonlyMap<string, readonly ListedJob[]>;
  /** When it was asked for, monotonic seconds. */
  atSeconds: number;
}

/** How the controller answers. */
export type ControllerState =
  | { kind: 'unasked' }
  | { kind: 'up'; atSeconds: number }
  /** `sinceSeconds`: of its last answer, or of the first call without one. */
  | { kind: 'away'; sinceSeconds: number; reason: string };

/**
 * Keeps the listing of all jobs of attempts, with one call for all of them. A controller that is away
 * for minutes holds up nobody: who asks gets the last answer and its age.
 */
export class SlurmQueue {
  readonly #client: Pick<SlurmClient, 'list'>;
  readonly #clock: Pick<Clock, 'monotonicSeconds' | 'sleep'>;
  readonly #listeners = new Set<() => void>();
  #answer: QueueAnswer | null = null;
  #failures = 0;
  #failedSince: number | null = null;
  #reason = '';
  readonly #wake: Wake;

  constructor(client: Pick<SlurmClient, 'list'>, clock: Pick<Clock, 'monotonicSeconds' | 'sleep'>) {
    this.#client = client;
    this.#clock = clock;
    this.#wake = new Wake(clock);
  }

  get answer(): QueueAnswer | null {
    return this.#answer;
  }

  get controller(): ControllerState {
    if (this.#failures >= AWAY_AFTER) {
      const sinceSeconds = this.#answer?.atSeconds ?? this.#failedSince ?? 0;
      return { kind: 'away', sinceSeconds, reason: this.#reason };
    }
    if (this.#answer === null) return { kind: 'unasked' };
    return { kind: 'up', atSeconds: this.#answer.atSeconds };
  }

  /** Calls `listener` after each answer and each failed call; answers how to stop that. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Whether jobs can be begun has changed. */
  changed(): void {
    for (const listener of this.#listeners) listener();
  }

  /** A job was submitted or has ended: lists soon. */
  hurry(): void {
    this.#wake.notify();
  }

  /** Lists until the signal. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#list();
      this.changed();
      await this.#clock.sleep(SOONEST_SECONDS, signal);
      await this.#wake.wait(LIST_SECONDS - SOONEST_SECONDS, signal);
    }
  }

  async #list(): Promise<void> {
    const atSeconds = this.#clock.monotonicSeconds();
    try {
      this.#answer = { jobs: byAttempt(await this.#client.list()), atSeconds };
      this.#failures = 0;
      this.#failedSince = null;
    } catch (error) {
      if (!(error instanceof SlurmError)) throw error;
      this.#failures += 1;
      this.#failedSince ??= atSeconds;
      this.#reason = error.message;
    }
  }
}

function byAttempt(jobs: readonly ListedJob[]): Map<string, ListedJob[]> {
  const grouped = new Map<string, ListedJob[]>();
  for (const job of jobs) grouped.set(job.attempt, [...(grouped.get(job.attempt) ?? []), job]);
  return grouped;
}
