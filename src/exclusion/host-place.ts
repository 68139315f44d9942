import { proximityOf, type Holder } from './holder.pure.ts';
import { elderOf, nameTaken, type Elder } from './meeting.pure.ts';
import type { OtherManagers } from './other-manager.ts';
import { ManagerRefused } from './exclusion-refusal.ts';
import type { HostDocument, HostStatus } from '../host/host.port.ts';
import type { Store } from '../ports/store.ts';
import type { Environment } from '../ports/environment.ts';
import { untilAnswered } from '../ports/persist.ts';
import type { Displaced, ManagerPlace } from './place.ts';

/** Life signs come every 9 s: whoever lives has given two by then, seconds. */
const WATCH_SECONDS = 25;
const LOOK_SECONDS = 1;

type Surroundings = Pick<Environment, 'clock' | 'log'> & {
  store: Pick<Store, 'hosts' | 'ebMonitor' | 'serverTime'>;
};

export class HostPlace implements ManagerPlace {
  readonly holder: Holder;
  readonly #env: Surroundings;
  readonly #others: OtherManagers;

  constructor(env: Surroundings, holder: Holder, others: OtherManagers) {
    this.#env = env;
    this.holder = holder;
    this.#others = others;
  }

  async enter(signal: AbortSignal): Promise<boolean> {
    while (!signal.aborted) {
      const what = 'which manager holds this host';
      const taken = await untilAnswered(this.#env, what, signal, () => this.#tryToEnter(signal));
      if (taken !== null) return taken;
    }
    return false;
  }

  async #tryToEnter(signal: AbortSignal): Promise<boolean> {
    const { hosts } = this.#env.store;
    for (;;) {
      const document = await hosts.named(this.holder.host);
      const elder = elderOf(named(document), this.holder, await this.#env.store.serverTime());
      if (elder.kind !== 'none' && !(await this.#isOver(elder, signal))) {
        throw new ManagerRefused(nameTaken(this.holder.host, elder));
      }
      if (signal.aborted) return false;
      if ((await this.#take(document)) === 'taken') return true;
    }
  }

  /** Sees to it that an elder has ended, as far as that can be done from here. */
  async #isOver(elder: Exclude<Elder, { kind: 'none' }>, signal: AbortSignal): Promise<boolean> {
    if (elder.kind === 'named' && elder.reach !== 'other_machine') {
      const { holder, reach } = elder;
      const canBeSeen = reach === 'same_processes';
      if (canBeSeen && !this.#others.isAlive(holder)) return true;
      const how = await this.#others.end(holder, canBeSeen);
      if (how === 'ended' || how === 'killed') {
        this.#env.log.info(
          { event: 'manager.replaced', pid: holder.pid, how },
          `took over from an earlier manager of ${holder.host} (pid ${holder.pid}, state folder ${holder.state_dir}, ${how}); its children go on`,
        );
        return true;
      }
      if (how === 'stays') return false;
    }
    return (await this.#watch(elder, signal)) === 'silent';
  }

  async displaced(signal: AbortSignal): Promise<Displaced> {
    while (!signal.aborted) {
      const what = 'which manager holds this host';
      const answer = await untilAnswered(this.#env, what, signal, () => this.#look(signal));
      if (answer !== null) return answer;
    }
    return { kind: 'ours' };
  }

  async #look(signal: AbortSignal): Promise<Displaced> {
    const { host, instance } = this.holder;
    for (;;) {
      const document = await this.#env.store.hosts.named(host);
      if (document?.holder?.instance === instance) return { kind: 'ours' };
      const other = document === null ? null : otherOf(document, this.holder);
      if (other !== null && (await this.#lives(other, signal))) {
        const isHere = other.kind === 'named' && other.reach !== 'other_machine';
        return isHere
          ? { kind: 'lost', reason: `a younger manager of ${host} has taken over`, exitCode: 0 }
          : { kind: 'lost', reason: nameTaken(host, other), exitCode: 2 };
      }
      if (signal.aborted || (await this.#take(document)) === 'taken') return { kind: 'ours' };
    }
  }

  async #lives(other: Exclude<Elder, { kind: 'none' }>, signal: AbortSignal): Promise<boolean> {
    if (other.kind === 'named' && other.reach === 'same_processes') {
      return this.#others.isAlive(other.holder);
    }
    return (await this.#watch(other, signal)) === 'alive';
  }

  /** On this machine's monotonic clock: whoever writes within two heartbeats lives. */
  async #watch(
    elder: Exclude<Elder, { kind: 'none' }>,
    signal: AbortSignal,
  ): Promise<'alive' | 'silent'> {
    const { clock, log } = this.#env;
    const { host } = this.holder;
    const who = elder.kind === 'named' ? elder.holder : { pid: elder.pid };
    log.warn(
      { event: 'manager.watching', host, other: who },
      `the document of ${host} names another manager (pid ${who.pid}): looking for up to ${WATCH_SECONDS} s whether it lives`,
    );
    const before = await this.#beats(elder);
    const limit = clock.monotonicSeconds() + WATCH_SECONDS;
    while (clock.monotonicSeconds() < limit && !signal.aborted) {
      await clock.sleep(LOOK_SECONDS, signal);
      for (const beat of await this.#beats(elder)) if (!before.has(beat)) return 'alive';
    }
    return 'silent';
  }

  /** All that tells of life of one manager: each write of its document, and each life sign. */
  async #beats(elder: Exclude<Elder, { kind: 'none' }>): Promise<Set<string>> {
    const { hosts, ebMonitor } = this.#env.store;
    const { host } = this.holder;
    const document = await hosts.named(host);
    const signs = await ebMonitor.writers(host, 2 * WATCH_SECONDS);
    const isIts = ({ instance, pid }: { instance: string | null; pid: number | null }) =>
      elder.kind === 'named'
        ? instance === elder.holder.instance
        : instance === null && pid === elder.pid;
    const beats = new Set(signs.filter(isIts).map(({ id }) => id));
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
      // Idle would mean that it takes runs.
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

/** The manager that has put itself into the document; null if nobody is named there. */
function otherOf(document: HostDocument, self: Holder): Exclude<Elder, { kind: 'none' }> | null {
  const { holder, extras } = document;
  if (holder !== null) return { kind: 'named', holder, reach: proximityOf(holder, self) };
  return typeof extras['pid'] === 'number' ? { kind: 'unnamed', pid: extras['pid'] } : null;
}
