import { OneAtATime } from '../infra/concurrency/one-at-a-time.ts';
import type { Run } from '../run/run.pure.ts';
import type { ControlResponse } from '../exclusion/manager-lock.ts';
import { leftToWarmText } from './warm-host.pure.ts';
import { seenOf } from '../run/stored-runs.ts';
import type { Fence, RunHint } from '../run/run.port.ts';
import type { AttemptBook } from '../attempt/attempt-book.ts';
import type { Bookmarks, Retries } from './candidates.ts';
import { claimTurn, type TurnAnswer } from './claim-run.ts';
import type { Debts } from '../attempt/debt/debts.ts';
import type { Environment } from '../ports/environment.ts';
import type { Fleet } from './fleet.ts';
import type { HostWatch } from '../host/host-watch.ts';
import { nextLook, SELDOM, type LookTimes } from './poll-times.ts';
import { NoticedRuns } from './noticed-runs.ts';
import { Prospects } from './prospects.ts';
import { requestedRun } from './requested-run.ts';

/**
 * While nothing waits and a change stream tells of what changes, the runs that fall due are asked for
 * at least this far ahead, and not again before that, seconds.
 */
const QUIET_RETRIES_SECONDS = 30;
/** Failed runs whose count of failures is no number are looked for so long after there was none, seconds. */
const ODD_COUNTS_SECONDS = 120;
/** So many hosts look when a run falls due. */
const WAIT_FOR_DUE = 2;
/** What is left to other hosts is looked at again so soon: their places may be gone, seconds. */
const LEFT_LOOK_SECONDS = 2;
const SHORTEST_WAIT_SECONDS = 0.01;
/** What the hosts have an order for. */
const POLL = 'poll';
const WALK = 'walk';

/** Of the manager, what claims need. */
export interface ClaimParts {
  book: AttemptBook;
  host: Pick<HostWatch, 'slots' | 'look'>;
  debts: Pick<Debts, 'giveWayTo'>;
  fleet: Pick<Fleet, 'claimRank' | 'warmPlace'>;
}

/** Takes runs, one claim at a time: in turn, and out of turn at a person's request. */
export class Claims {
  readonly #env: Environment;
  readonly #book: AttemptBook;
  readonly #host: ClaimParts['host'];
  readonly #debts: ClaimParts['debts'];
  readonly #take: (run: Run, fence: Fence, noticed: Date | null) => void;
  readonly #fleet: ClaimParts['fleet'];
  readonly #prospects: Prospects;
  readonly #notices = new NoticedRuns();
  readonly #bookmarks: Bookmarks = new Map();
  /** No run falls due before, as far as is known; monotonic seconds. */
  #noRetryBefore = -Infinity;
  /** Runs with odd counts were looked for, and there was none, then; monotonic seconds. */
  #oddCountsAt = -Infinity;
  /** Something has changed since the last look. */
  #isChanged = true;
  /** At the last look runs were left to other hosts, and at the one before. */
  #leaves = false;
  #hasLeft = false;
  #times: LookTimes = {
    ...{ lookedAt: -Infinity, lookAt: -Infinity, quiet: false },
    ...{ dueAt: Infinity, heardAt: -Infinity },
  };
  /** While this host is full. */
  #rest: AbortController | null = null;
  /** Two claims at the same time would both see the last free place. */
  readonly #claiming = new OneAtATime();

  /**
   * `take` is called with each claimed run, and when it was noticed: null if a person named it;
   * `ring` when a run that was left to others is to be looked at.
   */
  constructor(
    env: Environment,
    parts: ClaimParts,
    handlers: {
      take: (run: Run, fence: Fence, noticed: Date | null) => void;
      ring: () => void;
    },
  ) {
    this.#env = env;
    this.#fleet = parts.fleet;
    this.#prospects = new Prospects(env, (key) => parts.fleet.claimRank(key), handlers.ring);
    this.#book = parts.book;
    this.#host = parts.host;
    this.#debts = parts.debts;
    this.#take = handlers.take;
  }

  /** The change stream is answered: nothing has changed but what it told of. */
  heard(): void {
    this.#times.heardAt = this.#env.clock.monotonicSeconds();
  }

  /** A change stream tells of a run; answers whether this host is to look at once. */
  hinted(hint: RunHint): boolean {
    this.#notices.hinted(hint, this.#env.clock.monotonicSeconds());
    return this.#isFull ? false : this.#prospects.hinted(hint);
  }

  /** Null while this host is to hear of runs at once; else a signal that is aborted when it is. */
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

  /** No run could be taken now, nor would anything give way to it. */
  get #isFull(): boolean {
    const givesWay = this.#book.all().some(({ ofDebt }) => ofDebt);
    return this.#book.size >= this.#host.slots && !givesWay;
  }

  /** Something has changed: what was known of runs that wait is out of date. */
  changed(): void {
    this.#isChanged = true;
    this.#noRetryBefore = -Infinity;
  }

  /** Waits for the claim that is on its way now. */
  async settled(): Promise<void> {
    await this.#claiming.idle();
  }

  /**
   * Takes what may be taken now, if it is time to look; answers the seconds until it is again.
   * `streaming`: a change stream tells of runs that come or are made due. Of the hosts that are free
   * one looks then if it was not answered for an interval, and the others seldom.
   */
  async turn(intervalSeconds: number, streaming: boolean): Promise<number> {
    const now = this.#env.clock.monotonicSeconds();
    const waitSeconds = nextLook(this.#times, intervalSeconds) - now;
    // A clock of fractions may end a wait a little early.
    if (streaming && !this.#isChanged && waitSeconds > SHORTEST_WAIT_SECONDS) return waitSeconds;
    const rank = streaming ? this.#fleet.claimRank(POLL) : 0;
    const seldom = SELDOM * intervalSeconds;
    const period = rank === 0 ? intervalSeconds : seldom;
    const askRetries = now >= this.#noRetryBefore;
    const withinSeconds = streaming ? Math.max(seldom, QUIET_RETRIES_SECONDS) : intervalSeconds;
    // Should the look fail, the next one is due at once.
    Object.assign(this.#times, { lookedAt: now, lookAt: -Infinity, dueAt: Infinity });
    this.#isChanged = false;
    this.#hasLeft = this.#leaves;
    this.#leaves = false;
    const withOddCounts = now - this.#oddCountsAt >= ODD_COUNTS_SECONDS && rank < WAIT_FOR_DUE;
    const { quiet, nextDueSeconds, oddCounts } = await this.#claiming.run(() =>
      this.#claim(askRetries ? { withinSeconds, withOddCounts } : 'none'),
    );
    // Those behind them are to be found as well.
    if (askRetries && withOddCounts) this.#oddCountsAt = oddCounts ? -Infinity : now;
    if (!quiet || !streaming) this.#noRetryBefore = -Infinity;
    else if (askRetries) this.#noRetryBefore = now + withinSeconds;
    // What falls due wakes two hosts: should the first not be free after all, the other is.
    const dueSeconds = Math.min(
      rank < WAIT_FOR_DUE ? (nextDueSeconds ?? Infinity) : Infinity,
      this.#leaves ? LEFT_LOOK_SECONDS : Infinity,
    );
    Object.assign(this.#times, { lookAt: now + period, quiet, dueAt: now + dueSeconds });
    return Math.min(dueSeconds, period);
  }

  /** Takes one run now, out of turn. */
  process(number: number, document?: string): Promise<ControlResponse> {
    return this.#claiming.run(() => this.#process(number, document));
  }

  async accepting(): Promise<{ ok: true } | { ok: false; reason: string }> {
    const { accepting } = await this.#host.look();
    if (!accepting.ok) return { ok: false, reason: accepting.reason };
    if (this.#env.executor.startsAtOnce()) return { ok: true };
    const warm = await this.#fleet.warmPlace();
    if (warm === null) return { ok: true };
    this.#leaves = true;
    return { ok: false, reason: leftToWarmText(warm) };
  }

  #claim(retries: Retries): Promise<TurnAnswer> {
    return claimTurn({ ...this.#env, slots: this.#host.slots }, retries, {
      ...{ book: this.#book, notices: this.#notices, bookmarks: this.#bookmarks },
      rank: () => this.#fleet.claimRank(WALK),
      leave: () => (this.#leaves = !this.#hasLeft),
      accepting: () => this.accepting(),
      take: (run, seen, attempt, noticed) => this.#taken(run, { id: seen.id, attempt }, noticed),
    });
  }

  async #process(number: number, id?: string): Promise<ControlResponse> {
    const env = this.#env;
    const no = (message: string): ControlResponse => ({ ok: false, message });
    const asked = await requestedRun(env, number, id);
    if (!asked.ok) return asked;
    const { run, document } = asked;
    if (env.executor.places(this.#book.size).free === 0) {
      if (this.#debts.giveWayTo(number)) {
        return no('what a done run lacks was being made here, which ends now: ask again');
      }
      const busy = this.#book.all().map(({ run }) => run.number);
      return no(`this host is busy with run ${busy.join(', ')}`);
    }
    if (this.#book.ofRun(document._id) !== null) {
      return no(`an earlier attempt at run ${number} is still being cleaned up here; ask again`);
    }
    const { accepting } = await this.#host.look();
    // A person may well want to see what a quarantined host does with a run.
    if (!accepting.ok && accepting.kind !== 'quarantine') return no(accepting.reason);
    const seen = seenOf(document);
    const attempt = env.attempts.newId();
    if ((await env.store.runs.claim(seen, { attempt, host: env.host })) !== 'claimed') {
      return no(`run ${number} has just been taken by somebody else`);
    }
    this.#taken(run, { id: seen.id, attempt }, null);
    return { ok: true, message: `run ${number} is being processed on ${env.host}`, attempt };
  }

  #taken(run: Run, { id, attempt }: Pick<Fence, 'id' | 'attempt'>, noticed: Date | null): void {
    this.#take(run, { id, attempt, host: this.#env.host }, noticed);
  }
}
