import { SingleFlight } from '../infra/concurrency/single-flight.ts';
import type { Environment } from '../ports/environment.ts';
import type { ProgressSummary } from '../run/run.port.ts';
import type { Run } from '../run/run.pure.ts';
import type { Plan, Progress } from './attempt.pure.ts';
import { awaitedInput, movedOn, type Movement } from './movement.pure.ts';

/** After this share of the time until it is stalled, the live data is read for what is missing. */
const READ_AFTER = 0.5;

/** An attempt that may stand still. */
export interface Standing {
  run: Run;
  plan: Plan | null;
  progress: Progress;
  /** When the run became busy, which is when the child is started. */
  started: Date | undefined;
}

/** Since when an attempt makes no progress, and what of the live data it waits for. */
export class Standstill {
  readonly #env: Environment;
  readonly #reading = new SingleFlight<void>();
  #movement: Movement | null = null;
  #movedAtSeconds = 0;
  #waitsFor: string | null = null;

  constructor(env: Environment) {
    this.#env = env;
  }

  /** As the run document shows it. The live data is read meanwhile, for the next time. */
  noted(standing: Standing): Pick<ProgressSummary, 'moved' | 'waits_for'> {
    const { progress, started } = standing;
    const { limits } = this.#env.rules;
    const before = this.#movement;
    const now = this.#env.clock.monotonicSeconds();
    this.#movement = movedOn(before, progress);
    if (this.#movement !== before) {
      this.#movedAtSeconds = now;
      this.#waitsFor = null;
    } else if (now - this.#movedAtSeconds >= READ_AFTER * limits.stalledSeconds) {
      this.#readInput(standing);
    }
    const { t } = this.#movement;
    return {
      ...(started === undefined
        ? {}
        : { moved: new Date(started.getTime() + Math.round(t * 1000)) }),
      ...(this.#waitsFor === null ? {} : { waits_for: this.#waitsFor }),
    };
  }

  #readInput({ run, plan, progress }: Standing): void {
    const { phase, chunks } = progress;
    const reads = phase === 'waiting_for_data' || phase === 'processing';
    if (plan === null || !reads || this.#reading.inFlight) return;
    const movement = this.#movement;
    this.#env.tasks.start(`what run ${run.number} waits for`, () =>
      this.#reading.run(async () => {
        const files = await this.#env.machine.chunkFiles(plan.liveDataDirectory, chunks);
        if (this.#movement !== movement) return;
        this.#waitsFor = files === null ? null : awaitedInput(chunks, files, run.daq.threads);
      }),
    );
  }
}
