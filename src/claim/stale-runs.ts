import type { AttemptBook } from '../attempt/attempt-book.ts';
import { setAsideFor } from '../attempt/conclude-run.ts';
import { boundedLine } from '../infra/values/bounded.pure.ts';
import type { Environment } from '../ports/environment.ts';
import { tellDaq } from '../ports/notify.ts';
import { aboutOneRun, isUnfit, unlessOutage } from '../ports/persist.ts';
import { concludedFailure, endedUnseen } from '../retry/failure.ts';
import { idText } from '../run/document-id.ts';
import { parseRun } from '../run/run.pure.ts';
import type { Seen } from '../run/run-document.port.ts';
import { setAside } from './claim-run.ts';
import { isPassedAround, type Observation, observe, staleness } from './staleness.pure.ts';

/** Characters. */
const LONGEST_REASON = 500;

/**
 * Watches claimed runs without an attempt of this manager: those of other hosts, and claims in this
 * host's name that no attempt works on. A run is stale only if this host, connected without a break,
 * has seen its heartbeat unchanged for the whole lease on its own monotonic clock.
 */
export class StaleRuns {
  readonly #env: Environment;
  #observations = new Map<string, Observation>();
  #connectedSince: number;

  constructor(env: Environment) {
    this.#env = env;
    this.#connectedSince = env.clock.monotonicSeconds();
  }

  /** The database was away: heartbeats that could not be read do not count as unchanged. */
  connectionLost(): void {
    this.#connectedSince = this.#env.clock.monotonicSeconds();
    this.#observations = new Map();
  }

  /** Checks all claimed runs and takes over the stale ones; returns how many. */
  async check(book: AttemptBook): Promise<number> {
    const env = this.#env;
    const asked = env.clock.monotonicSeconds();
    const unsettled = await env.store.runs.unsettled();
    const now = env.clock.monotonicSeconds();
    // A database this slow may have delayed the heartbeats of other hosts as well.
    if (now - asked > env.rules.limits.renewSeconds) this.connectionLost();
    const observations = new Map<string, Observation>();
    const stale: Seen[] = [];
    const passedAround: Seen[] = [];
    for (const seen of unsettled) {
      if (seen.state !== 'considering' && seen.state !== 'busy') continue;
      if (typeof seen.attempt === 'string' && book.has(seen.attempt)) continue;
      const key = idText(seen.id);
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
      } else if (isPassedAround(observation, now, env.rules.limits)) {
        passedAround.push(seen);
      }
    }
    this.#observations = observations;
    let taken = 0;
    for (const seen of stale) {
      const isTaken = await aboutOneRun(env, seen, async () => {
        if (typeof seen.attempt !== 'string' && (await this.#setAsideIfMalformed(seen)))
          return false;
        return this.#takeOver(seen);
      });
      if (isTaken === true) taken++;
    }
    for (const seen of passedAround) {
      await aboutOneRun(env, seen, () => this.#setAsideIfMalformed(seen));
    }
    return taken;
  }

  /**
   * A document on which managers of the reference crash stays claimed, with a fresh time, for ever; after
   * a requeue the next of them would claim it.
   */
  async #setAsideIfMalformed(seen: Seen): Promise<boolean> {
    const parsed = parseRun(await this.#env.store.runs.byId(seen.id));
    if (parsed.kind === 'run') return false;
    await setAside(this.#env, seen, parsed.malformed.problems);
    return true;
  }

  /** Claims the run, which fences its former holder off, and requeues it. */
  async #takeOver(seen: Seen): Promise<boolean> {
    const env = this.#env;
    const attempt = env.attempts.newId();
    if ((await env.store.runs.claim(seen, { attempt, host: env.host })) !== 'claimed') return false;
    const parsed = parseRun(await env.store.runs.byId(seen.id));
    const before = parsed.kind === 'run' ? parsed.run.bootstrax : parsed.malformed.bootstrax;
    const reason = boundedLine(silenceText(seen), LONGEST_REASON);
    const run = typeof seen.number === 'number' ? seen.number : -1;
    const failure = concludedFailure(
      env,
      { run, before },
      {
        // Before the child is started the run cannot have crashed its holder.
        fault: seen.state === 'busy' && seen.host !== env.host ? 'holder_lost' : 'surroundings',
        reason,
        told: true,
        traceback: '',
      },
    );
    const fence = { id: seen.id, attempt, host: env.host };
    try {
      await env.store.runs.conclude(fence, failure.conclusion);
    } catch (error) {
      if (!isUnfit(error)) throw error;
      await env.store.runs.conclude(fence, setAsideFor(env, error.message));
    }
    env.log.warn(
      { event: 'run.stale', run: seen.number, state: seen.state, host: seen.host },
      failure.message,
    );
    const former = seen.attempt;
    if (typeof former === 'string') {
      const { counted } = failure;
      await unlessOutage(env, 'history', () =>
        env.store.attempts.end(former, endedUnseen(reason, { counted }), { unlessEnded: true }),
      );
    }
    const priority = failure.conclusion.kind === 'given_up' ? failure.priority : 'info';
    await tellDaq(env, priority, failure.message, seen.number);
    return true;
  }
}

/** The former holder of a stale run, and its last heartbeat. */
function silenceText({ state, host, time }: Seen): string {
  const holder = typeof host === 'string' ? host : 'an unnamed host';
  const last = time instanceof Date ? `the last was at ${time.toISOString()}` : 'there was none';
  return `it was ${String(state)} on ${holder} without a heartbeat for the whole lease (${last})`;
}
