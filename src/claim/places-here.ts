import type { AttemptBook } from '../attempt/attempt-book.ts';
import {
  isBetterHere,
  type Placement,
  placementOf,
  type PlacesNow,
  type RunToPlace,
} from '../executors/placement.pure.ts';
import { memoryLimitBytes } from '../host/memory.pure.ts';
import { memoryNeeded } from '../plan/job-of-run.ts';
import { resolveLiveDirectory } from '../plan/plan.pure.ts';
import type { Environment } from '../ports/environment.ts';
import type { Run } from '../run/run.pure.ts';
import type { FleetSaid } from './fleet.ts';

/** A run that waits in a cluster is taken back for a place here after this time. */
const TAKEN_BACK_SECONDS = 60;
/** What the hosts said counts for this long. */
const SAID_SECONDS = 180;
/** Newest attempts of a run that are searched for one that lacked memory. */
const ATTEMPTS_READ = 5;

type Parts = Pick<
  Environment,
  | 'executor'
  | 'cluster'
  | 'jobs'
  | 'clock'
  | 'host'
  | 'machine'
  | 'rules'
  | 'liveDataRoots'
  | 'store'
>;

/** The places of this host and of its cluster, and which run goes to which of them. */
export class PlacesHere {
  readonly #env: Parts;
  readonly #book: AttemptBook;
  /** Attempts on this machine at the same time. */
  readonly #slots: () => number;
  /** When a run that is being taken was last heard of, or this manager began; monotonic seconds. */
  #liveAt: number;
  /** Since when no host has had a free place, monotonic seconds; null: one has. */
  #noneFreeSince: number | null = null;
  #hasOtherCluster = false;
  /** When the hosts were last read, monotonic seconds. */
  #fleetAt = -Infinity;
  /** When the cluster last answered, monotonic seconds. */
  #clusterAt: number;

  constructor(env: Parts, book: AttemptBook, slots: () => number) {
    this.#env = env;
    this.#book = book;
    this.#slots = slots;
    this.#liveAt = env.clock.monotonicSeconds();
    this.#clusterAt = this.#liveAt;
  }

  /** A run that is being taken has been heard of. */
  heardOfLive(): void {
    this.#liveAt = this.#env.clock.monotonicSeconds();
  }

  /** What the documents of all hosts say now. */
  seenFleet({ isAnyFree, hasOtherCluster }: FleetSaid): void {
    const now = this.#env.clock.monotonicSeconds();
    // Between two readings that lie far apart one may have been free.
    const isGap = now - this.#fleetAt > SAID_SECONDS;
    const since = isGap ? now : (this.#noneFreeSince ?? now);
    this.#noneFreeSince = isAnyFree ? null : since;
    this.#hasOtherCluster = hasOtherCluster;
    this.#fleetAt = now;
  }

  /** Free places of this machine. */
  get freeHere(): number {
    return Math.max(0, this.#slots() - this.#book.sizeOn('local'));
  }

  get freeOnCluster(): number {
    const { cluster } = this.#env;
    return cluster?.places(this.#book.sizeOn('slurm')).free ?? 0;
  }

  /** A run could begin somewhere. */
  get hasAny(): boolean {
    return this.freeHere > 0 || this.freeOnCluster > 0;
  }

  /**
   * Where a run goes now, by the time of the database's server. Of a run that has failed the newest
   * attempts are read where it matters.
   */
  async placeOf(run: Run, now: Date): Promise<Placement> {
    const { jobs } = this.#env;
    if (jobs === null) return this.#placeWithoutJobs(run);
    const needsBytes = await this.#neededBy(run);
    return placementOf(this.#toPlace(run, now, needsBytes), this.#now(), jobs);
  }

  /** Whether a run whose job has waited this long is to be processed here instead. */
  isBetterHere(run: Run, waitedSeconds: number, neededBytes: number | null): boolean {
    const { jobs, clock } = this.#env;
    if (jobs === null || waitedSeconds < TAKEN_BACK_SECONDS) return false;
    return isBetterHere(this.#toPlace(run, clock.now(), neededBytes), this.#now(), jobs);
  }

  #now(): PlacesNow {
    const { cluster, clock, jobs } = this.#env;
    const now = clock.monotonicSeconds();
    const places = cluster?.places(this.#book.sizeOn('slurm')) ?? null;
    const isUp = cluster?.ready().ok === true;
    if (isUp) this.#clusterAt = now;
    const downSeconds = isUp ? null : now - this.#clusterAt;
    return {
      here: { free: this.freeHere, bytes: this.#bytesHere() },
      cluster:
        places === null || jobs === null
          ? null
          : { free: places.free, why: places.why, downSeconds },
      quietSeconds: now - this.#liveAt,
      noneFreeSeconds:
        this.#noneFreeSince === null || !this.#isFleetKnown ? 0 : now - this.#noneFreeSince,
    };
  }

  get #isFleetKnown(): boolean {
    return this.#env.clock.monotonicSeconds() - this.#fleetAt <= SAID_SECONDS;
  }

  #bytesHere(): number {
    const { machine, rules } = this.#env;
    return memoryLimitBytes(machine.memoryCapacity().totalBytes, this.#slots(), rules.memory);
  }

  /** Only of a run that has failed, and only where a job could have more. */
  async #neededBy({ number, bootstrax }: Run): Promise<number | null> {
    if (bootstrax.failures === 0 || this.freeOnCluster === 0) return null;
    return memoryNeeded(await this.#env.store.attempts.ofRun(number, ATTEMPTS_READ));
  }

  #toPlace(run: Run, now: Date, needsBytes: number | null): RunToPlace {
    const { end, bootstrax } = run;
    return {
      kind: bootstrax.isReprocessed === true ? 'reprocess' : 'run',
      sinceEndSeconds: end === null ? null : (now.getTime() - end.getTime()) / 1000,
      wanted: bootstrax.wantedOn ?? null,
      needsBytes,
      onlyHere: this.#onlyHere(run),
    };
  }

  /** The nodes do not see all that this host sees. */
  #onlyHere(run: Run): string | null {
    const { cluster, liveDataRoots } = this.#env;
    const live = resolveLiveDirectory(run, liveDataRoots);
    if (live.kind !== 'directory' || cluster?.sees(live.path) !== false) return null;
    return `the nodes of the cluster do not see its live data, ${live.path}`;
  }

  /** A host without Slurm leaves a run that a person wants there to one that has it. */
  #placeWithoutJobs({ bootstrax }: Run): Placement {
    if (bootstrax.wantedOn === 'slurm' && this.#isFleetKnown && this.#hasOtherCluster) {
      return { on: 'nowhere', why: 'a person wants it on Slurm, which another host has' };
    }
    return this.freeHere > 0
      ? { on: 'local', why: 'a place here is free' }
      : { on: 'nowhere', why: 'no place is free on this host' };
  }
}
