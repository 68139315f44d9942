import { once } from 'node:events';

import { AttemptBook } from '../attempt/attempt-book.ts';
import { Debts } from '../attempt/debt/debts.ts';
import { MemoryWatch } from '../attempt/memory-watch.ts';
import { Claims, type ProcessAsked } from '../claim/claim-loop.ts';
import { Fleet } from '../claim/fleet.ts';
import { ManagerRefused } from '../exclusion/exclusion-refusal.ts';
import type { ControlResponse } from '../exclusion/manager-lock.ts';
import { Deletions } from '../features/deletion/deletions.ts';
import type { Drain } from '../host/drain.ts';
import { Heartbeat, type ManagerView, thinking } from '../host/heartbeat.ts';
import { HostWatch } from '../host/host-watch.ts';
import { SingleFlight } from '../infra/concurrency/single-flight.ts';
import { Wake } from '../infra/concurrency/wake.ts';
import type { StoreEvent } from '../infra/mongo/connection.port.ts';
import type { Environment } from '../ports/environment.ts';
import { notifyDaq } from '../ports/notify.ts';
import { isOfDatabase, unlessOutage, unlessRefused, untilAnswered } from '../ports/persist.ts';
import { readRun } from '../run/run.pure.ts';
import { AttemptsHere } from './attempts-here.ts';
import { DatabaseNews } from './database-notices.ts';
import { KeepingBack } from './drain/drain-state.ts';
import { type HandBack, HANDED_BACK } from './drain/handback.ts';
import { Hints } from './hints.ts';
import { Housekeeping } from './housekeeping.ts';
import { ensureIndexes } from './missing-indexes.ts';
import { Asked } from './requested-actions.ts';
import { WaitingClaims } from './waiting-claims.ts';

/** How old a check of the host may be while there is nothing to claim: a check writes to the disk. */
const IDLE_HEALTH_SECONDS = 30;

/** The loop of one manager: recover, then notice, claim, watch, over and over. */
export class ManagerLoop {
  readonly #env: Environment;
  readonly #ends: AbortSignal;
  readonly #wake: Wake;
  readonly #book = new AttemptBook();
  readonly #fleet: Fleet;
  readonly #heartbeat: Heartbeat;
  readonly #memory: MemoryWatch;
  readonly #housekeeping: Housekeeping;
  readonly #host: HostWatch;
  readonly #deletions: Deletions;
  readonly #databaseNews: DatabaseNews;
  readonly #debts: Debts;
  readonly #claims: Claims;
  readonly #keepingBack: KeepingBack;
  readonly #asked: Asked;
  readonly #attempts: AttemptsHere;
  readonly #hints: Hints;
  readonly #waiting: WaitingClaims;
  /** Another manager has the name of this host. */
  #refusal: ManagerRefused | null = null;
  #ready = false;
  readonly #contest = new SingleFlight<void>();

  constructor(env: Environment) {
    const ends = env.tasks.signal;
    this.#env = env;
    this.#ends = ends;
    this.#wake = new Wake(env.clock);
    this.#fleet = new Fleet(env, (said) => this.#claims.places.seenFleet(said));
    this.#databaseNews = new DatabaseNews(env);
    this.#deletions = new Deletions(env);
    this.#attempts = new AttemptsHere(env, this.#book, {
      advanced: () => this.#heartbeat.advanced(),
      ended: () => this.#attemptEnded(),
    });
    this.#host = new HostWatch(
      env,
      () => this.#book.sizeOn('local'),
      () => this.#heartbeat.changed(),
      () => this.#databaseNews.refusal,
    );
    this.#housekeeping = new Housekeeping(
      env,
      this.#book,
      {
        adopt: ({ run, fence, debtor }, files) => {
          if (debtor !== null) return this.#debts.adopt({ run, fence, debtor }, files);
          const to = files.plan.executor ?? 'local';
          const runner = this.#attempts.atRun({ run, fence, noticed: null, to });
          this.#attempts.begin(runner, () => runner.advance({ kind: 'begun', files }));
        },
      },
      this.#fleet,
    );
    this.#debts = new Debts(
      env,
      this.#book,
      {
        begin: (runner, work) => this.#attempts.begin(runner, work),
        advanced: () => this.#heartbeat.advanced(),
      },
      ends,
    );
    this.#claims = new Claims(
      env,
      { book: this.#book, host: this.#host, debts: this.#debts, fleet: this.#fleet },
      {
        take: (taken) => {
          const runner = this.#attempts.atRun(taken);
          this.#attempts.begin(runner, () => runner.advance({ kind: 'claimed' }));
        },
        ring: () => this.#wake.notify(),
      },
    );
    this.#heartbeat = new Heartbeat(
      env,
      () => this.#view(),
      () => this.#displaced(),
    );
    this.#keepingBack = new KeepingBack(
      env,
      {
        book: this.#book,
        host: this.#host,
        claims: this.#claims,
        deletions: this.#deletions,
        housekeeping: this.#housekeeping,
        heartbeat: this.#heartbeat,
      },
      () => this.wake(),
    );
    this.#asked = new Asked(env, {
      book: this.#book,
      drained: () => this.#keepingBack.drained,
      drain: (drain) => this.drain(drain),
    });
    this.#waiting = new WaitingClaims(env, {
      ...{ book: this.#book, places: this.#claims.places },
      drained: () => this.#keepingBack.why,
    });
    this.#hints = new Hints(
      env,
      {
        book: this.#book,
        claims: this.#claims,
        fleet: this.#fleet,
        housekeeping: this.#housekeeping,
        asked: this.#asked,
      },
      () => this.#wake.notify(),
    );
    this.#memory = new MemoryWatch(env, () => this.#book.all());
    env.cluster?.onChange(() => {
      this.#heartbeat.changed();
      if (this.#claims.places.freeOnCluster > 0) this.wake();
    });
  }

  /** Recovery is done, and runs are taken. */
  get ready(): boolean {
    return this.#ready;
  }

  /** What this host does and why, in one sentence. */
  get thinking(): string {
    return thinking(this.#view(), this.#env.slots, { withProgress: false });
  }

  #view(): ManagerView {
    return {
      health: this.#host.latest,
      runners: this.#book.all(),
      drained: this.#keepingBack.drained,
      orderKeptSeconds: this.#housekeeping.keptForSeconds,
    };
  }

  wake(): void {
    this.#host.changed();
    this.#lookAnew();
  }

  #lookAnew(): void {
    this.#claims.changed();
    this.#wake.notify();
  }

  /**
   * Works until told to end, or only on one run; answers the exit code. Throws `ManagerRefused` if
   * another manager has this host.
   */
  async work(runOnce: number | null): Promise<number> {
    const env = this.#env;
    try {
      const answered = await untilAnswered(env, 'the start', this.#ends, async () => {
        await env.store.ping();
        return true;
      });
      if (answered === null) return 0;
      // Before anything else is written: the embedded server may lock up when a collection is
      // created while another connection writes.
      const indexed = unlessOutage(env, 'indexes', () => ensureIndexes(env));
      if (!this.#ends.aborted) await Promise.race([indexed, once(this.#ends, 'abort')]);
      if (this.#ends.aborted) return 0;
      if (!(await env.nameLock.take(this.#ends))) return 0;
      this.#heartbeat.start();
      this.#waiting.begin();
      env.tasks.start('the watch over memory', () => this.#memory.run(this.#ends));
      await this.#housekeeping.atStart();
      this.#ready = true;
      env.log.info(
        { event: 'manager.ready', host: env.host },
        `${env.host} ${await this.#readiness()}`,
      );
      if (env.role === 'never') {
        const why = `${env.host} runs a manager although it is never to take new runs with the main detector: is that meant?`;
        notifyDaq(env, 'error', why);
      }
      this.#hints.begin();
      if (runOnce !== null) return await this.#processOnce(runOnce);
      env.tasks.start('the deletion of live data', () => this.#deletions.run(this.#ends));
      while (!this.#ends.aborted) {
        const seconds = await this.#turn();
        this.#throwRefusal();
        if (await this.#keepingBack.handedBack(this.#ends)) return HANDED_BACK;
        // After the claims: a run that has just come does not wait for what can wait.
        if (!this.#ends.aborted) this.#housekeeping.begin();
        await this.#wake.wait(seconds, this.#ends);
        this.#throwRefusal();
      }
      return 0;
    } finally {
      this.#heartbeat.stop();
    }
  }

  /** `process N --now`: takes the run as soon as the worker is there, and waits for its end. */
  async #processOnce(number: number): Promise<number> {
    const env = this.#env;
    while (!this.#ends.aborted) {
      const health = await this.#host.check();
      if (health.accepting.ok) break;
      await this.#wake.wait(1, this.#ends);
    }
    const taken = await untilAnswered(env, `run ${number}`, this.#ends, () =>
      this.process({ run: number }),
    );
    if (taken === null) return 0;
    if (!taken.ok) {
      env.log.error({ event: 'run.refused', run: number }, taken.message);
      return 1;
    }
    while (this.#book.size > 0 && !this.#ends.aborted) {
      await this.#wake.wait(env.pollSeconds, this.#ends);
      this.#throwRefusal();
    }
    await this.#deletions.pass(this.#ends);
    const found = await untilAnswered(env, `run ${number}`, this.#ends, () =>
      env.store.runs.byNumber(number),
    );
    const isDone = (found ?? []).some((document) => {
      const { bootstrax, own } = readRun(document);
      return bootstrax.state === 'done' && own.lastAttempt === taken['attempt'];
    });
    return isDone ? 0 : 1;
  }

  /** "Ready" is said only of a host that would take a run. */
  async #readiness(): Promise<string> {
    if (this.#keepingBack.handingBack) return 'has gone on with what was left';
    const { accepting } = await this.#host.check();
    return accepting.ok
      ? 'is ready to take runs'
      : `has begun, and takes no new run yet: ${accepting.reason}`;
  }

  #attemptEnded(): void {
    this.#claims.placeFree();
    this.#host.attemptEnded();
    this.#deletions.wake();
    // Somebody may have ended it.
    if (this.#ready) this.#asked.noticed();
    this.#heartbeat.changed();
    this.#lookAnew();
  }

  /** The host's document names another manager: one of the two has to end. */
  #displaced(): void {
    if (this.#contest.inFlight) return;
    this.#env.tasks.start('the manager that holds this host', () =>
      this.#contest.run(async () => {
        const answer = await this.#env.nameLock.displaced(this.#ends);
        if (answer.kind === 'ours') return;
        const { reason, exitCode } = answer;
        this.#refusal = new ManagerRefused(reason, { exitCode });
        this.#wake.notify();
      }),
    );
  }

  #throwRefusal(): void {
    if (this.#refusal !== null) throw this.#refusal;
  }

  onStoreEvent(event: StoreEvent): void {
    this.#databaseNews.tell(event);
    if (event.kind === 'refused' || event.kind === 'granted') this.#host.changed();
    if (event.kind !== 'connection') return;
    if (!event.up) this.#housekeeping.connectionLost();
    this.#lookAnew();
  }

  /** Takes one run now, out of turn, at a person's request. */
  process(asked: ProcessAsked): Promise<ControlResponse> {
    return this.#claims.process(asked);
  }

  stopChildren(): Promise<ControlResponse> {
    return Promise.resolve(this.#attempts.stopAll());
  }

  /** Drains the host, also after a restart, until it is null. */
  async drain(drain: Drain | null): Promise<ControlResponse> {
    const { drains } = this.#env;
    await (drain === null ? drains.end() : drains.keep(drain));
    return this.#keepingBack.drain(drain);
  }

  /** Somebody at this machine has asked for something in the database. */
  asked(): ControlResponse {
    if (this.#ready) this.#asked.noticed();
    return { ok: true, message: 'the request is being read' };
  }

  /** Takes no new run, and ends when the present ones have ended. */
  handBack(how: HandBack): Promise<ControlResponse> {
    return this.#keepingBack.handBack(how);
  }

  /** Somebody wants to see in a database that this manager works on it. */
  async heartbeat(): Promise<ControlResponse> {
    await this.#heartbeat.renewDocument();
    return { ok: true, message: `the document of ${this.#env.host} is written` };
  }

  async status(): Promise<ControlResponse> {
    const health = await this.#host.check();
    return {
      ok: true,
      message: health.accepting.ok ? 'taking runs' : health.accepting.reason,
      pid: process.pid,
      host: this.#env.host,
      drained: this.#keepingBack.drained,
      handingBack: this.#keepingBack.handingBack,
      worker: this.#env.executor.describe(),
      runs: this.#book.all().map((runner) => ({
        run: runner.run.number,
        attempt: runner.fence.attempt,
        phase: runner.phase,
        progress: runner.progressSummary(),
      })),
    };
  }

  /** After the end that a person wanted: what was claimed and not begun is free for others at once. */
  giveBack(): Promise<void> {
    return this.#attempts.giveBack();
  }

  /** After the end: which runs go on without a manager, and how to stop them; which were not begun. */
  sayWhatGoesOn(): void {
    this.#attempts.sayWhatGoesOn();
  }

  async #turn(): Promise<number> {
    const env = this.#env;
    const before = this.#host.latest;
    const { accepting } = await this.#host.check(IDLE_HEALTH_SECONDS);
    if (accepting.ok && before?.accepting.ok === false) this.#claims.changed();
    const interval = this.#hints.streaming ? env.pollSeconds : Math.min(env.pollSeconds, 1);
    this.#fleet.refresh();
    try {
      await unlessRefused(env, 'what people ask for', () =>
        this.#asked.look(this.#hints.listening),
      );
      if (this.#keepingBack.handingBack) return interval;
      if (this.#claims.places.freeHere === 0) {
        await this.#debts.giveWay(() => this.#claims.accepting());
      }
      if (!this.#claims.places.hasAny) return interval;
      const nextLookSeconds = await this.#claims.turn(interval, this.#hints.streaming);
      await this.#debts.look(() => this.#claims.accepting());
      return Math.min(interval, nextLookSeconds);
    } catch (error) {
      if (!isOfDatabase(error)) throw error;
      this.#housekeeping.connectionLost();
      env.log.debug({ event: 'turn.missed', problem: error.message }, error.message);
      return interval;
    }
  }
}
