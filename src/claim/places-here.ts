import type { AttemptBook } from '../attempt/attempt-book.ts';
import type { ExecutorName } from '../executors/executor-name.pure.ts';
import {
  isBetterHere,
  placementOf,
  type Placement,
  type PlacesNow,
  type RunToPlace,
} from '../executors/placement.pure.ts';
import type { Environment } from '../ports/environment.ts';
import type { Run } from '../run/run.pure.ts';

/** A run that waits in a cluster is taken back for a place here after this time. */
const TAKEN_BACK_SECONDS = 60;

type Parts = Pick<Environment, 'executor' | 'cluster' | 'jobs' | 'clock' | 'host'>;

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

  /** Whether some host has a free place now, as its document says. */
  seenFree(isFree: boolean): void {
    this.#noneFreeSince = isFree
      ? null
      : (this.#noneFreeSince ?? this.#env.clock.monotonicSeconds());
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

  /** Where a run goes now, by the time of the database's server. */
  placeOf(run: Run, now: Date, wanted: ExecutorName | null = null): Placement {
    const { jobs } = this.#env;
    if (jobs === null) return here(this.freeHere);
    return placementOf(runToPlace(run, now, wanted), this.#now(), jobs);
  }

  /** Whether a run whose job has waited this long is to be processed here instead. */
  isBetterHere(run: Run, waitedSeconds: number): boolean {
    const { jobs, clock } = this.#env;
    if (jobs === null || waitedSeconds < TAKEN_BACK_SECONDS) return false;
    return isBetterHere(runToPlace(run, clock.now(), null), this.#now(), jobs);
  }

  #now(): PlacesNow {
    const { cluster, clock } = this.#env;
    const now = clock.monotonicSeconds();
    const places = cluster?.places(this.#book.sizeOn('slurm')) ?? null;
    const isUp = cluster?.ready().ok === true;
    if (isUp) this.#clusterAt = now;
    const downSeconds = isUp ? null : now - this.#clusterAt;
    return {
      here: { free: this.freeHere, bytes: null },
      cluster: places === null ? null : { free: places.free, why: places.why, downSeconds },
      quietSeconds: now - this.#liveAt,
      noneFreeSeconds: this.#noneFreeSince === null ? 0 : now - this.#noneFreeSince,
    };
  }
}

function here(free: number): Placement {
  return free > 0
    ? { on: 'local', why: 'a place here is free' }
    : { on: 'nowhere', why: 'no place is free on this host' };
}

function runToPlace(run: Run, now: Date, wanted: ExecutorName | null): RunToPlace {
  const { end, bootstrax } = run;
  return {
    kind: bootstrax.isReprocessed === true ? 'reprocess' : 'run',
    sinceEndSeconds: end === null ? null : (now.getTime() - end.getTime()) / 1000,
    wanted: wanted ?? bootstrax.wantedOn ?? null,
    needsBytes: null,
    onlyHere: null,
  };
}
