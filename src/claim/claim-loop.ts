import type { AttemptBook } from '../attempt/attempt-book.ts';
import type { Debts } from '../attempt/debt/debts.ts';
import type { RunTaken } from '../attempt/run-policy.ts';
import type { ControlResponse } from '../exclusion/manager-lock.ts';
import type { ExecutorName } from '../executors/executor-name.pure.ts';
import type { HostWatch } from '../host/host-watch.ts';
import { OneAtATime } from '../infra/concurrency/one-at-a-time.ts';
import type { Environment } from '../ports/environment.ts';
import type { RunHint } from '../run/run.port.ts';
import { seenOf } from '../run/stored-runs.ts';
import type { Bookmarks, Retries } from './candidates.ts';
import { claimTurn, type TurnAnswer } from './claim-run.ts';
import type { Fleet } from './fleet.ts';
import { NoticedRuns } from './noticed-runs.ts';
import { PlacesHere } from './places-here.ts';
import { nextPoll, type PollTimes, SELDOM } from './poll-times.ts';
import { Prospects } from './prospects.ts';
import { requestedRun } from './requested-run.ts';
import { leftToWarmText } from './warm-host.pure.ts';

/**
 * While nothing waits and a change stream reports changes, runs that fall due are read at least this far
 * ahead, and not again before then, seconds.
 */
const QUIET_RETRIES_SECONDS = 30;
/** After a search without a failed run whose count is no number, the next search follows this much later. */
const ODD_COUNTS_SECONDS = 120;
/** Number of hosts that poll when a run falls due. */
const WAIT_FOR_DUE = 2;
/** Runs left to other hosts are read again after this time: the slots there may be taken. */
const LEFT_READ_SECONDS = 2;
const SHORTEST_WAIT_SECONDS = 0.01;
/** Keys for which the hosts have an order: polling, and the way through the candidates. */
const POLL = 'poll';
const WALK = 'walk';

/** What a person wants processed at once. */
export interface ProcessAsked {
  run: number;
  /** Id of the document that is meant, where several have the number. */
  document?: string | undefined;
  on?: ExecutorName | undefined;
}

/** The parts of the manager that claims need. */
export interface ClaimParts {
  book: AttemptBook;
  host: Pick<HostWatch, 'slots' | 'check'>;
  debts: Pick<Debts, 'giveWayTo'>;
  fleet: Pick<Fleet, 'claimRank' | 'warmPlace'>;
}

/** Claims runs, one claim at a time: in rounds, and at once at a person's request. */
export class Claims {
  readonly #env: Environment;
  readonly #book: AttemptBook;
  readonly #host: ClaimParts['host'];
  readonly #debts: ClaimParts['debts'];
  readonly #take: (taken: RunTaken) => void;
  readonly places: PlacesHere;
  readonly #fleet: ClaimParts['fleet'];
  readonly #prospects: Prospects;
  readonly #notices = new NoticedRuns();
  readonly #bookmarks: Bookmarks = new Map();
  /** No run is known to fall due before this time; monotonic seconds. */
  #noRetryBefore = -Infinity;
  /** When a search last found no run with an odd count; monotonic seconds. */
  #oddCountsAt = -Infinity;
  /** Something has changed since the last poll. */
  #isChanged = true;
  /** Since then a failed run may have fallen due that was not known to. */
  #retriesChanged = true;
  /** Whether the last poll left runs to other hosts, and the one before. */
  #leaves = false;
  #hasLeft = false;
  #times: PollTimes = {
    ...{ polledAt: -Infinity, pollAt: -Infinity, quiet: false },
    ...{ dueAt: Infinity, heardAt: -Infinity },
  };
  /** While this host is full. */
  #rest: AbortController | null = null;
  /** Two claims at the same time would both see the last free slot. */
  readonly #claiming = new OneAtATime();

  /**
   * `take` is called with each claimed run, and when it was noticed: null if a person named it;
   * `ring` when a run that was left to others is to be read again.
   */
  constructor(
    env: Environment,
    parts: ClaimParts,
    handlers: {
      take: (taken: RunTaken) => void;
      ring: () => void;
    },
  ) {
    this.#env = env;
    this.#fleet = parts.fleet;
    const rank = (key: string) => parts.fleet.claimRank(key);
    this.#prospects = new Prospects(env, rank, () => {
      this.changed();
      handlers.ring();
    });
    this.#book = parts.book;
    this.#host = parts.host;
    this.#debts = parts.debts;
    this.#take = handlers.take;
    this.places = new PlacesHere(env, parts.book, () => parts.host.slots);
  }

  /** The change stream has answered: nothing has changed beyond its hints. */
  heard(): void {
    this.#times.heardAt = this.#env.clock.monotonicSeconds();
  }

  /** A hint of the change stream; returns whether this host is to poll at once. */
  hinted(hint: RunHint): boolean {
    this.#notices.hinted(hint, this.#env.clock.monotonicSeconds());
    if (hint.kind === 'insert') this.places.heardOfLive();
    if (this.#isFull || !this.#prospects.hinted(hint)) return false;
    if (hint.kind === 'insert') this.#isChanged = true;
    else this.changed();
    return true;
  }

  /** Null while this host wants hints at once; else a signal that is aborted when it does. */
  rest(): AbortSignal | null {
    const awaitsEnd = this.#book.all().some(({ phase }) => phase === 'waiting_for_end');
    if (!this.#isFull || awaitsEnd) return null;
    this.#rest ??= new AbortController();
    return this.#rest.signal;
  }

  /** An attempt has ended. */
  placeFree(): void {
    this.#rest?.abort();
    this.#rest = null;
  }

  /** No run could be claimed now: all slots are taken, and none by an attempt that gives way. */
  get #isFull(): boolean {
    const givesWay = this.#book.all().some(({ ofDebt }) => ofDebt);
    return !this.places.hasAny && !givesWay;
  }

  /** Something other than a new run has changed: the known times of waiting runs are out of date. */
  changed(): void {
    this.#isChanged = true;
    this.#retriesChanged = true;
  }

  /** A clock of fractions may end a wait a little early. */
  #isDue(waitSeconds: number): boolean {
    return this.#isChanged || waitSeconds <= SHORTEST_WAIT_SECONDS;
  }

  #beginTurn(now: number): void {
    // If this poll fails, the next one is due at once.
    Object.assign(this.#times, { polledAt: now, pollAt: -Infinity, dueAt: Infinity });
    this.#isChanged = false;
    this.#retriesChanged = false;
    this.#hasLeft = this.#leaves;
    this.#leaves = false;
  }

  /** When known waiting runs fall due, or those that were left are read again. */
  #dueSeconds(rank: number, nextDueSeconds: number | null): number {
    // A run that falls due wakes two hosts, in case the first is not free after all.
    const ofWaiting = rank < WAIT_FOR_DUE ? (nextDueSeconds ?? Infinity) : Infinity;
    return Math.min(ofWaiting, this.#leaves ? LEFT_READ_SECONDS : Infinity);
  }

  /** Waits for the claim that is being written now. */
  async settled(): Promise<void> {
    await this.#claiming.idle();
  }

  /**
   * Claims runs if a poll is due; returns the seconds until the next one. `streaming`: a change stream
   * reports new and due runs. Then one of the free hosts polls if the stream has not answered for an
   * interval, and the others poll seldom.
   */
  async turn(intervalSeconds: number, streaming: boolean): Promise<number> {
    const now = this.#env.clock.monotonicSeconds();
    const waitSeconds = nextPoll(this.#times, intervalSeconds) - now;
    if (streaming && !this.#isDue(waitSeconds)) return waitSeconds;
    const rank = streaming ? this.#fleet.claimRank(POLL) : 0;
    const seldom = SELDOM * intervalSeconds;
    const period = rank === 0 ? intervalSeconds : seldom;
    if (this.#retriesChanged) this.#noRetryBefore = -Infinity;
    const askRetries = now >= this.#noRetryBefore;
    const withinSeconds = streaming ? Math.max(seldom, QUIET_RETRIES_SECONDS) : intervalSeconds;
    this.#beginTurn(now);
    const withOddCounts = now - this.#oddCountsAt >= ODD_COUNTS_SECONDS && rank < WAIT_FOR_DUE;
    const { quiet, nextDueSeconds, oddCounts } = await this.#claiming.run(() =>
      this.#claim(askRetries ? { withinSeconds, withOddCounts } : 'none'),
    );
    // If there was one, those behind it are to be found as well.
    if (askRetries && withOddCounts) this.#oddCountsAt = oddCounts ? -Infinity : now;
    const mayRest = quiet && streaming;
    if (askRetries || !mayRest) this.#noRetryBefore = mayRest ? now + withinSeconds : -Infinity;
    const dueSeconds = this.#dueSeconds(rank, nextDueSeconds);
    Object.assign(this.#times, { pollAt: now + period, quiet, dueAt: now + dueSeconds });
    return Math.min(dueSeconds, period);
  }

  /** Claims one run at once. */
  process(asked: ProcessAsked): Promise<ControlResponse> {
    return this.#claiming.run(() => this.#process(asked));
  }

  async accepting(): Promise<{ ok: true } | { ok: false; reason: string }> {
    const { accepting } = await this.#host.check();
    if (!accepting.ok) return { ok: false, reason: accepting.reason };
    if (this.#env.executor.startsAtOnce() || this.places.freeHere === 0) return { ok: true };
    const warm = await this.#fleet.warmPlace();
    if (warm === null) return { ok: true };
    this.#leaves = true;
    return { ok: false, reason: leftToWarmText(warm) };
  }

  #claim(retries: Retries): Promise<TurnAnswer> {
    return claimTurn(this.#env, retries, {
      ...{
        book: this.#book,
        places: this.places,
        notices: this.#notices,
        bookmarks: this.#bookmarks,
      },
      rank: () => this.#fleet.claimRank(WALK),
      leave: () => (this.#leaves = !this.#hasLeft),
      accepting: () => this.accepting(),
      take: (taken) => this.#take(taken),
    });
  }

  async #process({
    run: number,
    document: id,
    on: wanted,
  }: ProcessAsked): Promise<ControlResponse> {
    const env = this.#env;
    const no = (message: string): ControlResponse => ({ ok: false, message });
    const on = wanted ?? 'local';
    const asked = await requestedRun(env, number, id);
    if (!asked.ok) return asked;
    const { run, document } = asked;
    if (on === 'slurm') {
      const why = this.#whyNotOnCluster();
      if (why !== null) return no(why);
    } else if (env.executor.places(this.#book.sizeOn('local')).free === 0) {
      if (this.#debts.giveWayTo(number)) {
        return no('an attempt at a debt gives way to it: ask again');
      }
      const busy = this.#book.all().map((attempt) => attempt.run.number);
      return no(`this host is busy with run ${busy.join(', ')}`);
    }
    if (this.#book.ofRun(document._id) !== null) {
      return no(`an earlier attempt at run ${number} is still being cleaned up here; ask again`);
    }
    const { accepting } = await this.#host.check();
    // A person may want to try a run on a quarantined host.
    if (!accepting.ok && accepting.kind !== 'quarantine') return no(accepting.reason);
    const seen = seenOf(document);
    const attempt = env.attempts.newId();
    const owner = { attempt, host: env.host, ...(wanted === undefined ? {} : { on: wanted }) };
    if ((await env.store.runs.claim(seen, owner)) !== 'claimed') {
      return no(`another host has just claimed run ${number}`);
    }
    const fence = { id: seen.id, attempt, host: env.host };
    this.#take({ run, fence, noticed: null, to: on });
    const where = on === 'slurm' ? `Slurm, by ${env.host}` : env.host;
    return { ok: true, message: `run ${number} is being processed on ${where}`, attempt };
  }

  #whyNotOnCluster(): string | null {
    const { cluster, host, jobs } = this.#env;
    if (cluster === null || jobs === null) return `${host} has no Slurm: see slurm.enabled`;
    return cluster.places(this.#book.sizeOn('slurm')).why;
  }
}
