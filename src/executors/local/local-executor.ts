import { type Plan, startedSchema } from '../../attempt/attempt.pure.ts';
import { markSuperseded, readAttemptFile } from '../../attempt/files/attempt-directory.ts';
import type { ForkServer } from '../../attempt/worker/fork-server.ts';
import { type Forked, NotStartedError } from '../../attempt/worker/fork-server-answers.ts';
import { warmUpProblem } from '../../attempt/worker/worker-restart.ts';
import { monotonicMs, systemClock } from '../../infra/clock/clock.ts';
import { isDiskTrouble } from '../../ports/disk-trouble.ts';
import type { AttemptTrace, Executor, Readiness, StartAnswer } from '../executor.ts';
import { freePlaces, type Places } from '../free-places.pure.ts';
import { LocalReach } from './local-reach.ts';

/** A guardian writes `started.json` within milliseconds of its own start; this is generous. */
const STARTED_WITHIN_MS = 5000;
const LOOK_EVERY_MS = 50;

export interface LocalExecutorOptions {
  server: ForkServer;
  /** Attempts at the same time. */
  slots: number;
  /** Why a worker that only starts may not count as usable; null if it may. */
  unproved?: () => string | null;
}

/** Attempts on this machine, forked from the warm worker. */
export class LocalExecutor implements Executor {
  readonly name = 'local';
  /** Whatever the directory of an attempt lies here for is found at once. */
  readonly foundWithinSeconds = 0;
  readonly #server: ForkServer;
  readonly #slots: number;
  readonly #unproved: () => string | null;

  constructor({ server, slots, unproved = () => null }: LocalExecutorOptions) {
    this.#server = server;
    this.#slots = slots;
    this.#unproved = unproved;
  }

  async start(plan: Plan, directory: string): Promise<StartAnswer> {
    try {
      return startedOf(plan, directory, await this.#server.fork(plan.attempt, directory));
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (error instanceof NotStartedError) return { kind: 'refused', reason };
      return lookForStart(plan, directory, reason);
    }
  }

  find(trace: AttemptTrace): Promise<LocalReach> {
    return Promise.resolve(new LocalReach(trace));
  }

  places(taken: number): Places {
    return freePlaces(this.#slots, taken);
  }

  ready(): Readiness {
    const state = this.#server.state;
    switch (state.kind) {
      case 'starting': {
        const reason =
          this.#unproved() ?? warmUpProblem((monotonicMs(systemClock) - state.sinceMs) / 1000);
        return reason === null ? { ok: true } : { ok: false, reason };
      }
      case 'warm':
      case 'cold':
        return { ok: true };
      case 'failed':
        return {
          ok: false,
          reason: `the worker cannot start: ${state.summary}; tried again every ${state.retrySeconds} s`,
        };
      case 'closed':
        return { ok: false, reason: 'the worker is closed' };
    }
  }

  startsAtOnce(): boolean {
    const { kind } = this.#server.state;
    return kind === 'warm' || kind === 'cold';
  }

  onChange(listener: () => void): () => void {
    return this.#server.onChange(listener);
  }

  versions(): Readonly<Record<string, string>> {
    return this.#server.versions;
  }

  sees(): boolean {
    return true;
  }

  avoids(): readonly string[] {
    return [];
  }

  facts(): null {
    return null;
  }

  describe(): string {
    const state = this.#server.state;
    switch (state.kind) {
      case 'starting':
        return 'warming up';
      case 'warm':
        return `warm after ${state.seconds.toFixed(1)} s`;
      case 'cold':
        return `runs start cold: ${state.why}`;
      case 'failed':
        return `cannot start: ${state.summary}`;
      case 'closed':
        return 'closed';
    }
  }
}

function startedOf(
  { attempt }: Plan,
  directory: string,
  { guardian, warm, why }: Forked,
): StartAnswer {
  const reach = new LocalReach({ id: attempt, directory, started: null }, guardian);
  return { kind: 'started', reach, begun: true, warm, why };
}

/** The worker ended between request and answer: its guardian says whether there is one. */
async function lookForStart(plan: Plan, directory: string, reason: string): Promise<StartAnswer> {
  const deadline = monotonicMs(systemClock) + STARTED_WITHIN_MS;
  try {
    for (;;) {
      const read = await readAttemptFile(directory, 'started.json', startedSchema);
      if (read.kind === 'read') return startedOf(plan, directory, { ...read.value, why: null });
      if (monotonicMs(systemClock) > deadline) break;
      await systemClock.sleep(LOOK_EVERY_MS / 1000);
    }
    // Should a guardian appear after all, it and its child end themselves.
    await markSuperseded(directory);
    return { kind: 'refused', reason };
  } catch (error) {
    if (!isDiskTrouble(error)) throw error;
    return { kind: 'unknown', reason: `${reason}, and its directory fails: ${error.message}` };
  }
}
