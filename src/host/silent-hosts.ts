import type { Environment } from '../ports/environment.ts';
import { tellDaq } from '../ports/notify.ts';
import { isUnfit, unlessOutage } from '../ports/persist.ts';
import type { NewestHeartbeat } from './host.port.ts';

const DEAD = 'dead_bootstrax';

/** Marks the managers of other hosts as dead once they have been silent for too long. */
export class SilentHosts {
  readonly #env: Environment;
  /** Nothing more is to be done about these hosts until they send a heartbeat again. */
  readonly #handled = new Set<string>();

  constructor(env: Environment) {
    this.#env = env;
  }

  /** Left out while a database is away: that says nothing of the runs database. */
  async mark(): Promise<void> {
    await unlessOutage(this.#env, 'silent hosts', () => this.#markSilent());
  }

  async #markSilent(): Promise<void> {
    const { store, host, watchedHosts, rules } = this.#env;
    const ours = (await store.hosts.all()).map((each) => each.host);
    const others = [...new Set([...watchedHosts, ...ours])].filter((each) => each !== host);
    if (others.length === 0) return;
    const now = await store.silentHosts.time();
    const since = new Date(now.getTime() - rules.limits.presumedDeadSeconds * 1000);
    const heard = await store.silentHosts.withHeartbeatSince(others, since);
    for (const each of heard) this.#handled.delete(each);
    for (const each of others) {
      if (heard.includes(each) || this.#handled.has(each)) continue;
      const heartbeat = await store.silentHosts.newest(each);
      if (heartbeat !== null && heartbeat.time >= since) continue;
      if (
        heartbeat === null ||
        heartbeat.state === DEAD ||
        (await this.#markDead(heartbeat, now))
      ) {
        this.#handled.add(each);
      }
    }
  }

  /** Whether the host is marked now, by this host or another. */
  async #markDead(heartbeat: NewestHeartbeat, now: Date): Promise<boolean> {
    const env = this.#env;
    const minutes = Math.round((now.getTime() - heartbeat.time.getTime()) / 60_000);
    try {
      if ((await env.store.silentHosts.markDead(heartbeat)) === 'changed') return false;
    } catch (error) {
      if (!isUnfit(error)) throw error;
      // A capped collection of an old server takes no change of a document's size.
      env.log.warn(
        { event: 'host.silent', host: heartbeat.host },
        `${heartbeat.host} is silent and cannot be marked dead: ${String(error)}`,
      );
      return true;
    }
    const message = `${heartbeat.host} has sent no heartbeat for ${minutes} min (its last state was '${String(heartbeat.state)}'): its manager counts as dead. See whether that machine and its bootstrax run`;
    env.log.error({ event: 'host.silent', host: heartbeat.host }, message);
    await tellDaq(env, 'error', message);
    return true;
  }
}
