import { markSuperseded, readAttemptFile } from '../attempt/files/attempt-directory.ts';
import { startedSchema, type Plan } from '../attempt/attempt.pure.ts';
import { UnansweredError, type ForkServer } from '../attempt/worker/fork-server.ts';
import { warmUpProblem } from '../attempt/worker/worker-restart.ts';
import type { Executor, Readiness, Start } from './executor.ts';

/** A guardian writes `started.json` within milliseconds of its own start; this is generous, ms. */
const STARTED_WITHIN_MS = 5000;
const LOOK_EVERY_MS = 50;

/** Attempts on this machine, forked from the warm worker. */
export class LocalExecutor implements Executor {
  readonly #server: ForkServer;

  constructor(server: ForkServer) {
    this.#server = server;
  }

  async start(plan: Plan, directory: string): Promise<Start> {
    try {
      return await this.#server.fork(plan.attempt, directory);
    } catch (error) {
      if (!(error instanceof UnansweredError)) throw error;
      const start = await lookForStart(directory);
      if (start !== null) return start;
      // Should a guardian appear after all, it and its child end themselves.
      await markSuperseded(directory);
      throw error;
    }
  }

  ready(): Readiness {
    const state = this.#server.state;
    switch (state.kind) {
      case 'starting': {
        const reason = warmUpProblem((performance.now() - state.sinceMs) / 1000);
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

async function lookForStart(directory: string): Promise<Start | null> {
  const deadline = performance.now() + STARTED_WITHIN_MS;
  for (;;) {
    const read = await readAttemptFile(directory, 'started.json', startedSchema);
    if (read.kind === 'read') {
      return { guardian: read.value.guardian, warm: read.value.warm, why: null };
    }
    if (performance.now() > deadline) return null;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}
