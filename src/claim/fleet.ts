import type { HostDocument } from '../host/host.port.ts';
import { SingleFlight } from '../infra/concurrency/single-flight.ts';
import type { HostRole } from '../infra/config/host-role.pure.ts';
import type { Environment } from '../ports/environment.ts';
import { unlessOutage } from '../ports/persist.ts';
import { claimRank, dutyRank, type FleetHost } from './fleet-order.pure.ts';
import { warmHostBeside } from './warm-host.pure.ts';

/** Interval at which the hosts are read. */
const READ_SECONDS = 60;
/** A host writes its document at least once a minute: with an older one it is silent. */
const FRESH_SECONDS = 120;
/** A run is left to another host by no older reading than this, since slots are soon taken. */
const WARM_PLACE_SECONDS = 2;
/** A host that has not done the duty for this long counts as not doing it. */
const DUTY_SECONDS = 120;

/** What the hosts say together. */
export interface FleetSaid {
  /** Some host has a free place. */
  isAnyFree: boolean;
  /** Slurm takes jobs of a host beside this one. */
  hasOtherCluster: boolean;
}

/**
 * The other hosts, from their documents: which is to claim a run first, and which does the duty. Without
 * fresh documents every host counts itself as the first, so none waits for ever.
 */
export class Fleet {
  readonly #env: Environment;
  readonly #onRead: (said: FleetSaid) => void;
  #hosts: readonly FleetHost[] = [];
  #readAt = -Infinity;
  readonly #reading = new SingleFlight<void>();

  /** `onRead` is called each time the hosts have been read. */
  constructor(env: Environment, onRead: (said: FleetSaid) => void) {
    this.#env = env;
    this.#onRead = onRead;
  }

  /** Reads the hosts if it is time, beside whatever else goes on. */
  refresh(): void {
    const { clock, tasks } = this.#env;
    if (this.#reading.inFlight || clock.monotonicSeconds() - this.#readAt < READ_SECONDS) return;
    tasks.start('reading the hosts', () =>
      unlessOutage(this.#env, 'the hosts', () => this.#reading.run(() => this.#read())),
    );
  }

  /** How many free hosts are to claim the run before this host. */
  claimRank(key: string): number {
    return claimRank(key, this.#env, this.#known());
  }

  dutyRank(): number {
    return dutyRank(this.#env.host, this.#known());
  }

  /** A primary host beside this one that could begin a run now; null: none, as of this moment. */
  async warmPlace(): Promise<string | null> {
    const age = this.#env.clock.monotonicSeconds() - this.#readAt;
    const known = age > WARM_PLACE_SECONDS ? null : warmHostBeside(this.#env.host, this.#hosts);
    if (known !== null) return known;
    // A slot may just have become free there, and a run that is taken here waits for the whole warm-up.
    await this.#reading.run(() => this.#read());
    return warmHostBeside(this.#env.host, this.#hosts);
  }

  #known(): readonly FleetHost[] {
    const age = this.#env.clock.monotonicSeconds() - this.#readAt;
    return age > FRESH_SECONDS ? [] : this.#hosts;
  }

  async #read(): Promise<void> {
    const { store, clock } = this.#env;
    const now = await store.serverTime();
    const documents = await store.hosts.all();
    this.#hosts = documents.flatMap((document) => fleetHostOf(document, now));
    this.#readAt = clock.monotonicSeconds();
    const others = this.#hosts.filter(({ host }) => host !== this.#env.host);
    this.#onRead({
      isAnyFree: this.#hosts.some(({ free }) => free),
      hasOtherCluster: others.some(({ hasCluster }) => hasCluster),
    });
  }
}

function fleetHostOf({ host, time, extras }: HostDocument, now: Date): FleetHost[] {
  const ageSeconds = (now.getTime() - time.getTime()) / 1000;
  if (ageSeconds > FRESH_SECONDS) return [];
  const { role, accepting, slots, runs, worker_ready: ready, order_kept_seconds: kept } = extras;
  const { cluster_ready: hasCluster } = extras;
  const taken = Array.isArray(runs) ? runs.length : 0;
  const places = typeof slots === 'number' ? slots : 1;
  return [
    {
      host,
      role: isRole(role) ? role : 'backup',
      free: accepting === true && ready === true && taken < places,
      hasCluster: accepting === true && hasCluster === true,
      keepsOrder: typeof kept === 'number' && kept < DUTY_SECONDS,
    },
  ];
}

function isRole(role: unknown): role is HostRole {
  return role === 'primary' || role === 'backup' || role === 'never';
}
