import type { HostDocument, HostStatus } from '../host/host.port.ts';
import type { Environment } from '../ports/environment.ts';
import { untilAnswered } from '../ports/persist.ts';
import type { Store } from '../ports/store.ts';
import { type EarlierManager, earlierManagerOf, nameTaken } from './earlier-manager.pure.ts';
import { ManagerRefused } from './exclusion-refusal.ts';
import { type Holder, proximityOf } from './holder.pure.ts';
import type { Displaced, HostNameLock } from './host-name-lock.ts';
import type { OtherManagers } from './other-manager.ts';

/** A manager that lives sends two heartbeats in this time: one comes every 9 s. */
const WATCH_SECONDS = 25;
const POLL_SECONDS = 1;

type Surroundings = Pick<Environment, 'clock' | 'log'> & {
  store: Pick<Store, 'hosts' | 'ebMonitor' | 'serverTime'>;
};

export class DatabaseNameLock implements HostNameLock {
  readonly holder: Holder;
  readonly #env: Surroundings;
  readonly #others: OtherManagers;

  constructor(env: Surroundings, holder: Holder, others: OtherManagers) {
    this.#env = env;
    this.holder = holder;
    this.#others = others;
  }

  async take(signal: AbortSignal): Promise<boolean> {
    while (!signal.aborted) {
      const what = 'the manager that holds this host';
      const taken = await untilAnswered(this.#env, what, signal, () => this.#tryToEnter(signal));
      if (taken !== null) return taken;
    }
    return false;
  }

  async #tryToEnter(signal: AbortSignal): Promise<boolean> {
    const { hosts } = this.#env.store;
    for (;;) {
      const document = await hosts.named(this.holder.host);
      const earlier = earlierManagerOf(
        named(document),
        this.holder,
        await this.#env.store.serverTime(),
      );
      if (earlier.kind !== 'none' && !(await this.#hasEnded(earlier, signal))) {
        throw new ManagerRefused(nameTaken(this.holder.host, earlier));
      }
      if (signal.aborted) return false;
      if ((await this.#take(document)) === 'taken') return true;
    }
  }

  /** Stops the earlier manager if that is possible from here; true if it has ended. */
  async #hasEnded(
    earlier: Exclude<EarlierManager, { kind: 'none' }>,
    signal: AbortSignal,
  ): Promise<boolean> {
    if (earlier.kind === 'named' && earlier.proximity !== 'other_machine') {
      const { holder, proximity } = earlier;
      const canBeSeen = proximity === 'same_processes';
      if (canBeSeen && !this.#others.isAlive(holder)) return true;
      const how = await this.#others.end(holder, canBeSeen);
      if (how === 'ended' || how === 'killed') {
        this.#env.log.info(
          { event: 'manager.replaced', pid: holder.pid, how },
          `replaced an earlier manager of ${holder.host} (pid ${holder.pid}, state folder ${holder.state_dir}, ${how}); its children go on`,
        );
        return true;
      }
      if (how === 'stays') return false;
    }
    return (await this.#watch(earlier, signal)) === 'silent';
  }

  async displaced(signal: AbortSignal): Promise<Displaced> {
    while (!signal.aborted) {
      const what = 'the manager that holds this host';
      const answer = await untilAnswered(this.#env, what, signal, () => this.#decide(signal));
      if (answer !== null) return answer;
    }
    return { kind: 'ours' };
  }

  async #decide(signal: AbortSignal): Promise<Displaced> {
    const { host, instance } = this.holder;
    for (;;) {
      const document = await this.#env.store.hosts.named(host);
      if (document?.holder?.instance === instance) return { kind: 'ours' };
      const other = document === null ? null : otherOf(document, this.holder);
      if (other !== null && (await this.#lives(other, signal))) {
        const isHere = other.kind === 'named' && other.proximity !== 'other_machine';
        return isHere
          ? {
              kind: 'lost',
              reason: `a newer manager of ${host} has replaced this one`,
              exitCode: 0,
            }
          : { kind: 'lost', reason: nameTaken(host, other), exitCode: 2 };
      }
      if (signal.aborted || (await this.#take(document)) === 'taken') return { kind: 'ours' };
    }
  }

  async #lives(
    other: Exclude<EarlierManager, { kind: 'none' }>,
    signal: AbortSignal,
  ): Promise<boolean> {
    if (other.kind === 'named' && other.proximity === 'same_processes') {
      return this.#others.isAlive(other.holder);
    }
    return (await this.#watch(other, signal)) === 'alive';
  }

  /** A manager that writes within two heartbeats lives; timed on this machine's monotonic clock. */
  async #watch(
    earlier: Exclude<EarlierManager, { kind: 'none' }>,
    signal: AbortSignal,
  ): Promise<'alive' | 'silent'> {
    const { clock, log } = this.#env;
    const { host } = this.holder;
    const who = earlier.kind === 'named' ? earlier.holder : { pid: earlier.pid };
    log.warn(
      { event: 'manager.watching', host, other: who },
      `the document of ${host} names another manager (pid ${who.pid}): checking for up to ${WATCH_SECONDS} s whether it still writes`,
    );
    const before = await this.#beats(earlier);
    const limit = clock.monotonicSeconds() + WATCH_SECONDS;
    while (clock.monotonicSeconds() < limit && !signal.aborted) {
      await clock.sleep(POLL_SECONDS, signal);
      for (const beat of await this.#beats(earlier)) if (!before.has(beat)) return 'alive';
    }
    return 'silent';
  }

  /** Signs of life of one manager: each write of its document, and each heartbeat. */
  async #beats(earlier: Exclude<EarlierManager, { kind: 'none' }>): Promise<Set<string>> {
    const { hosts, ebMonitor } = this.#env.store;
    const { host } = this.holder;
    const document = await hosts.named(host);
    const heartbeats = await ebMonitor.writers(host, 2 * WATCH_SECONDS);
    const isIts = ({ instance, pid }: { instance: string | null; pid: number | null }) =>
      earlier.kind === 'named'
        ? instance === earlier.holder.instance
        : instance === null && pid === earlier.pid;
    const beats = new Set(heartbeats.filter(isIts).map(({ id }) => id));
    if (document !== null) {
      const { holder, pid, time } = named(document)!;
      if (isIts({ instance: holder?.instance ?? null, pid })) beats.add(time.toISOString());
    }
    return beats;
  }

  #take(document: HostDocument | null): Promise<'taken' | 'lost'> {
    const { host, pid } = this.holder;
    const status: HostStatus = {
      host,
      // `idle` would mean that the host takes runs.
      state: 'busy',
      holder: this.holder,
      extras: {
        pid,
        runs: [],
        accepting: false,
        why_not: 'its manager has just started',
        thinking: 'becoming the manager of this host',
      },
    };
    return this.#env.store.hosts.take(status, document?.holder?.instance ?? null);
  }
}

function named(document: HostDocument | null) {
  if (document === null) return null;
  const { holder, time, extras } = document;
  return { holder, time, pid: typeof extras['pid'] === 'number' ? extras['pid'] : null };
}

/** The manager that the document names; null if it names none. */
function otherOf(
  document: HostDocument,
  self: Holder,
): Exclude<EarlierManager, { kind: 'none' }> | null {
  const { holder, extras } = document;
  if (holder !== null) return { kind: 'named', holder, proximity: proximityOf(holder, self) };
  return typeof extras['pid'] === 'number' ? { kind: 'unnamed', pid: extras['pid'] } : null;
}
