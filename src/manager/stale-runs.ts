import { observe, staleness, type Observation } from '../domain/verdict.ts';
import type { Seen } from '../store/types.ts';
import type { AttemptBook } from './attempt-book.ts';
import type { Environment } from './environment.ts';

/**
 * Watches runs that other hosts hold. A run is stale only if this host, connected without a break,
 * has seen its time unchanged for the whole lease on its own monotonic clock.
 */
export class StaleRuns {
  readonly #env: Environment;
  #observations = new Map<string, Observation>();
  #connectedSince: number;

  constructor(env: Environment) {
    this.#env = env;
    this.#connectedSince = env.clock.monotonicSeconds();
  }

  /** The database was away: what was not seen cannot have stood still. */
  connectionLost(): void {
    this.#connectedSince = this.#env.clock.monotonicSeconds();
    this.#observations = new Map();
  }

  /** Looks at all claimed runs and gives the stale ones back to the queue; answers their number. */
  async look(book: AttemptBook): Promise<number> {
    const env = this.#env;
    const unsettled = await env.store.runs.unsettled();
    const now = env.clock.monotonicSeconds();
    const observations = new Map<string, Observation>();
    const stale: Seen[] = [];
    for (const seen of unsettled) {
      if (seen.state !== 'considering' && seen.state !== 'busy') continue;
      if (typeof seen.attempt === 'string' && book.has(seen.attempt)) continue;
      const key = seen.id.toHexString();
      const observation = observe(
        this.#observations.get(key) ?? null,
        {
          state: seen.state,
          attempt: typeof seen.attempt === 'string' ? seen.attempt : null,
          timeMs: seen.time instanceof Date ? seen.time.getTime() : null,
        },
        now,
      );
      observations.set(key, observation);
      if (staleness(observation, this.#connectedSince, now, env.rules.limits).kind === 'stale') {
        stale.push(seen);
      }
    }
    this.#observations = observations;
    let given = 0;
    for (const seen of stale) if (await this.#giveBack(seen)) given++;
    return given;
  }

  /** Claims it, which fences its former owner off, and puts it back into the queue, not counted. */
  async #giveBack(seen: Seen): Promise<boolean> {
    const env = this.#env;
    const attempt = env.attempts.newId();
    if ((await env.store.runs.claim(seen, { attempt, host: env.host })) !== 'claimed') return false;
    await env.store.runs.conclude(
      { id: seen.id, attempt, host: env.host },
      { kind: 'requeued', reason: null, delaySeconds: 0 },
    );
    env.log.warn(
      { event: 'run.stale', run: seen.number, state: seen.state, host: seen.host },
      `run ${String(seen.number)} was ${String(seen.state)} on ${String(seen.host)} without a sign of life for the whole lease: back to the queue, not counted`,
    );
    return true;
  }
}
