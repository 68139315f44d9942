import type { Reach } from '../executors/reach.ts';
import { memoryLimitBytes, type MemoryUse, shortOfMemory } from '../host/memory.pure.ts';
import type { Environment } from '../ports/environment.ts';
import type { Ended } from './outcome.pure.ts';

/** Faster than this no attempt takes memory, bytes a second. */
const FASTEST_GROWTH = 2e9;
const SHORTEST_PAUSE_SECONDS = 0.2;
const LONGEST_PAUSE_SECONDS = 5;

/** An attempt as this watch sees it. */
export interface WatchedAttempt {
  readonly fence: { readonly attempt: string };
  /** Null before there are any. */
  readonly reach: Pick<Reach, 'memory'> | null;
  readonly ending: boolean;
  end(cause: Ended): void;
}

/** What it needs of the manager's surroundings. */
export interface WatchEnvironment extends Pick<Environment, 'slots' | 'rules'> {
  machine: Pick<Environment['machine'], 'memoryCapacity'>;
  clock: Pick<Environment['clock'], 'sleep'>;
}

/**
 * Watches the memory of all attempts of this host from outside, since a child that is busy in C
 * cannot report its own, and ends those that take too much before the kernel chooses a process.
 */
export class MemoryWatch {
  readonly #env: WatchEnvironment;
  readonly #attempts: () => readonly WatchedAttempt[];

  constructor(env: WatchEnvironment, attempts: () => readonly WatchedAttempt[]) {
    this.#env = env;
    this.#attempts = attempts;
  }

  /** Looks again and again until told to end. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) await this.#env.clock.sleep(await this.look(), signal);
  }

  /** Answers when to look again, seconds: before anything could have grown to its limit. */
  async look(): Promise<number> {
    const { machine, rules, slots } = this.#env;
    const running = this.#attempts().flatMap((attempt) =>
      attempt.reach === null ? [] : [{ attempt, reach: attempt.reach }],
    );
    if (running.length === 0) return LONGEST_PAUSE_SECONDS;

    const capacity = machine.memoryCapacity();
    const shareBytes = memoryLimitBytes(capacity.totalBytes, slots, rules.memory);
    const uses: MemoryUse[] = [];
    for (const { attempt, reach } of running) {
      const { fence, ending } = attempt;
      const memory = await reach.memory(shareBytes);
      if (memory !== null) uses.push({ ...memory, attempt: fence.attempt, ending });
    }
    for (const { attempt: id, cause } of shortOfMemory(uses, capacity, rules.memory)) {
      running.find(({ attempt }) => attempt.fence.attempt === id)?.attempt.end(cause);
    }
    const room = Math.min(
      capacity.availableBytes - (capacity.totalBytes * rules.memory.minAvailablePercent) / 100,
      ...uses.filter(({ ending }) => !ending).map(({ bytes, limitBytes }) => limitBytes - bytes),
    );
    const pause = room / FASTEST_GROWTH / 2;
    return Math.min(LONGEST_PAUSE_SECONDS, Math.max(SHORTEST_PAUSE_SECONDS, pause));
  }
}
