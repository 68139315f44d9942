import type { AttemptBook } from '../attempt/attempt-book.ts';
import { LooseEnds } from '../attempt/certification.ts';
import { tidyPlaces } from '../attempt/finished-places.ts';
import type { Fleet } from '../claim/fleet.ts';
import { StaleRuns } from '../claim/stale-runs.ts';
import { SilentHosts } from '../host/silent-hosts.ts';
import { OneAtATime } from '../infra/concurrency/one-at-a-time.ts';
import { SingleFlight } from '../infra/concurrency/single-flight.ts';
import type { Environment } from '../ports/environment.ts';
import { isOfDatabase, unlessRefused } from '../ports/persist.ts';
import { SetAsideFaults } from '../retry/unmendable.ts';
import { SetAsideNumbers } from '../run/same-number.ts';
import {
  pruneRecords,
  recoverAttempts,
  recoverClaims,
  recoverTrash,
  type RecoveryHandlers,
} from './recovery.ts';

/** Looks at held runs in the time of the shortest lease. */
export const LOOKS_PER_LEASE = 2.4;
/** So many hosts see to what is done for all: should one of them die, the other is at it already. */
const WATCHERS = 2;
/** What changes seldom, or is reported by a change stream, is read once in this number of rounds. */
const SELDOM = 2;
/** Runs that are set aside wait for a person, of whose doing a change stream tells. */
const SET_ASIDE_SELDOM = 5;
/** Interval at which records are pruned. */
const PRUNE_SECONDS = 3600;

/**
 * Corrects what crashes, hangs and power failures have left, here and at hosts that are gone: at
 * the start, and then on a clock of its own, however busy the host is.
 */
export class Housekeeping {
  readonly #env: Environment;
  readonly #book: AttemptBook;
  readonly #handlers: RecoveryHandlers;
  readonly #signal: AbortSignal;
  readonly #fleet: Fleet;
  readonly #stale: StaleRuns;
  readonly #looseEnds: LooseEnds;
  readonly #silentHosts: SilentHosts;
  readonly #setAside: SetAsideNumbers;
  readonly #faults: SetAsideFaults;
  #staleAt = -Infinity;
  #tiedAt = -Infinity;
  #faultsAt = -Infinity;
  #setAsideAt = -Infinity;
  #cleanedAt = -Infinity;
  #prunedAt = -Infinity;
  /** Two at the same time would both see to the same attempt. */
  readonly #work = new OneAtATime();
  readonly #looking = new SingleFlight<void>();
  /** When all that was due had been done, monotonic seconds. */
  #keptAt: number | null = null;

  constructor(env: Environment, book: AttemptBook, handlers: RecoveryHandlers, fleet: Fleet) {
    const { signal } = env.tasks;
    this.#fleet = fleet;
    this.#env = env;
    this.#book = book;
    this.#handlers = handlers;
    this.#signal = signal;
    this.#stale = new StaleRuns(env);
    this.#looseEnds = new LooseEnds(env, signal);
    this.#silentHosts = new SilentHosts(env);
    this.#setAside = new SetAsideNumbers(env);
    this.#faults = new SetAsideFaults(env);
  }

  /** The database was away: what was not seen cannot have stood still. */
  connectionLost(): void {
    this.#stale.connectionLost();
  }

  /** Somebody has tagged a run, or given it another number: do not wait for the clock. */
  marksChanged(): void {
    this.#tiedAt = -Infinity;
    this.#setAsideAt = -Infinity;
  }

  /** Somebody has changed the document of a run, which may have been set aside for it. */
  documentChanged(): void {
    this.#faultsAt = -Infinity;
  }

  /** Before any work; waits for the database as long as it takes. */
  atStart(): Promise<void> {
    return this.#work.run(() => this.#recover());
  }

  /** Does what is due beside whatever else goes on: no claim waits for it. */
  begin(): void {
    if (this.#looking.inFlight) return;
    this.#env.tasks.start('housekeeping', () =>
      this.#looking.run(() => this.#work.run(() => this.#lookUnlessOutage())),
    );
  }

  async #lookUnlessOutage(): Promise<void> {
    try {
      await this.#look();
    } catch (error) {
      if (!isOfDatabase(error)) throw error;
      this.connectionLost();
      const { message: problem } = error;
      this.#env.log.debug({ event: 'housekeeping.missed', problem }, problem);
    }
  }

  async #recover(): Promise<void> {
    await recoverTrash(this.#env);
    await recoverAttempts(this.#env, this.#book, this.#handlers, this.#signal);
    await recoverClaims(this.#env, this.#book, this.#signal);
    await tidyPlaces(this.#env, this.#book, this.#signal);
    await pruneRecords(this.#env);
    this.#prunedAt = this.#env.clock.monotonicSeconds();
  }

  /** How long ago it last came round to the end of what is due; null: not yet. */
  get keptForSeconds(): number | null {
    return this.#keptAt === null ? null : this.#env.clock.monotonicSeconds() - this.#keptAt;
  }

  async #look(): Promise<void> {
    await this.#lookForAll(this.#fleet.dutyRank());
    await this.#lookHere();
    this.#keptAt = this.#env.clock.monotonicSeconds();
  }

  /** What is done once for all hosts. */
  async #lookForAll(rank: number): Promise<void> {
    const { limits } = this.#env.rules;
    if (rank >= WATCHERS) {
      // What was not read cannot have been seen unchanged.
      this.#stale.connectionLost();
      return;
    }
    const lease = Math.min(limits.busyLeaseSeconds, limits.consideringLeaseSeconds);
    const now = this.#env.clock.monotonicSeconds();
    if (now - this.#staleAt >= lease / LOOKS_PER_LEASE) {
      this.#staleAt = now;
      await unlessRefused(this.#env, 'runs without a heartbeat', () =>
        this.#stale.check(this.#book),
      );
    }
    if (now - this.#faultsAt >= SET_ASIDE_SELDOM * limits.housekeepingSeconds) {
      this.#faultsAt = now;
      await unlessRefused(this.#env, 'runs that are set aside', () => this.#faults.look());
    }
    if (now - this.#tiedAt >= SELDOM * limits.housekeepingSeconds) {
      this.#tiedAt = now;
      await unlessRefused(this.#env, 'runs that nobody holds', () => this.#looseEnds.tie());
      await this.#silentHosts.mark();
    }
    if (now - this.#setAsideAt >= SET_ASIDE_SELDOM * limits.housekeepingSeconds) {
      this.#setAsideAt = now;
      await unlessRefused(this.#env, 'runs that wait for their number', () =>
        this.#setAside.check(),
      );
    }
  }

  /** What each host does for itself. */
  async #lookHere(): Promise<void> {
    const now = this.#env.clock.monotonicSeconds();
    if (now - this.#cleanedAt < SELDOM * this.#env.rules.limits.housekeepingSeconds) return;
    this.#cleanedAt = now;
    await recoverAttempts(this.#env, this.#book, this.#handlers, this.#signal);
    await tidyPlaces(this.#env, this.#book, this.#signal);
    await unlessRefused(this.#env, 'done runs of this host', () => this.#looseEnds.tieOwn());
    if (now - this.#prunedAt < PRUNE_SECONDS) return;
    this.#prunedAt = now;
    await pruneRecords(this.#env);
  }
}
