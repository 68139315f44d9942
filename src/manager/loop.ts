import { once } from 'node:events';

import { readRun, type Run } from '../run/run.pure.ts';
import type { ControlResponse } from '../exclusion/manager-lock.ts';
import { ManagerRefused } from '../exclusion/exclusion-refusal.ts';
import type { Fence } from '../run/run.port.ts';
import type { StoreEvent } from '../infra/mongo/connection.port.ts';
import { Asked } from './requested-actions.ts';
import { AttemptBook } from '../attempt/attempt-book.ts';
import { Attempt } from '../attempt/attempt-machine.ts';
import type { Life } from '../attempt/attempt-policy.ts';
import { RunPolicy } from '../attempt/run-policy.ts';
import { Bell } from '../ports/wake.ts';
import { Claims } from '../claim/claim-loop.ts';
import { DatabaseNews } from './database-notices.ts';
import { Debts } from '../attempt/debt/debts.ts';
import { Deletions } from '../features/deletion/deletions.ts';
import type { Environment } from '../ports/environment.ts';
import { Fleet } from '../claim/fleet.ts';
import { HANDED_BACK, type HandBack } from './drain/handback.ts';
import { HostWatch } from '../host/host-watch.ts';
import { Housekeeping } from './housekeeping.ts';
import { ensureIndexes } from './missing-indexes.ts';
import type { Drain } from '../host/drain.ts';
import { KeepingBack } from './drain/drain-state.ts';
import { LifeSigns, thinking, type ManagerView } from '../host/heartbeat.ts';
import { MemoryWatch } from '../attempt/memory-watch.ts';
import {
  isOfDatabase,
  leaveAlone,
  unlessOutage,
  unlessRefused,
  untilAnswered,
} from '../ports/persist.ts';
import { tellDaq } from '../ports/notify.ts';
import type { Runner } from '../attempt/runner.ts';

/** How old a look at the host may be while there is nothing to claim: it writes to the disk, seconds. */
const IDLE_HEALTH_SECONDS = 30;
/** Whoever asks a manager to end waits 3 s for it: what takes longer is left to the next start, seconds. */
const GIVE_BACK_SECONDS = 2;

/** The loop of one manager: recover, then notice, claim, watch, over and over. */
export class ManagerLoop {
  readonly #env: Environment;
  readonly #ends: AbortSignal;
  readonly #bell: Bell;
  readonly #book = new AttemptBook();
  readonly #fleet: Fleet;
  readonly #lifeSigns: LifeSigns;
  readonly #memory: MemoryWatch;
  readonly #housekeeping: Housekeeping;
  readonly #host: HostWatch;
  readonly #deletions: Deletions;
  readonly #databaseNews: DatabaseNews;
  readonly #debts: Debts;
  readonly #claims: Claims;
  readonly #keepingBack: KeepingBack;
  readonly #asked: Asked;
  #streaming = false;
  /** What people ask for would be noticed at once. */
  #listening = false;
  #failure: { error: unknown } | null = null;
  #ready = false;
  /** Another manager of this name has been noticed, and is being looked at. */
  #contested = false;

  constructor(env: Environment, ends: AbortSignal) {
    this.#env = env;
    this.#ends = ends;
    this.#bell = new Bell(env.clock);
    this.#fleet = new Fleet(env);
    this.#databaseNews = new DatabaseNews(env);
    this.#deletions = new Deletions(env);
    this.#host = new HostWatch(
      env,
      () => this.#book.size,
      () => this.#lifeSigns.changed(),
      () => this.#databaseNews.refusal,
    );
    this.#housekeeping = new Housekeeping(
      env,
      this.#book,
      {
        adopt: (run, document, files) => {
          const fence = { id: document._id, attempt: files.plan.attempt, host: env.host };
          const runner = this.#attempt(run, fence, null);
          this.#begin(runner, () => runner.advance({ kind: 'begun', files }));
        },
        adoptDebt: (document, files) => this.#debts.adopt(document, files),
      },
      ends,
      this.#fleet,
    );
    this.#debts = new Debts(
      env,
      this.#book,
      {
        begin: (runner, work) => this.#begin(runner, work),
        changed: () => this.#lifeSigns.changed(),
      },
      ends,
    );
    this.#claims = new Claims(
      env,
      { book: this.#book, host: this.#host, debts: this.#debts, fleet: this.#fleet },
      {
        take: (run, fence, noticed) => {
          const runner = this.#attempt(run, fence, noticed);
          this.#begin(runner, () => runner.advance({ kind: 'claimed' }));
        },
        ring: () => this.#bell.ring(),
      },
      ends,
    );
    this.#lifeSigns = new LifeSigns(
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
        lifeSigns: this.#lifeSigns,
      },
      () => this.wake(),
    );
    this.#asked = new Asked(env, {
      book: this.#book,
      drained: () => this.#keepingBack.drained,
      drain: (drain) => this.drain(drain),
      failed: (error) => this.#fail(error),
    });
    this.#memory = new MemoryWatch(env, () => this.#book.all());
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
    this.#bell.ring();
  }

  /**
   * Works until told to end, or only on one run; answers the exit code. Throws on any internal
   * error, after which only a new start helps.
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
      if (!(await env.place.enter(this.#ends))) return 0;
      this.#lifeSigns.start();
      void this.#memory.run(this.#ends);
      await this.#housekeeping.atStart();
      this.#ready = true;
      env.log.info(
        { event: 'manager.ready', host: env.host },
        `${env.host} ${await this.#readiness()}`,
      );
      if (env.role === 'never') {
        const why = `${env.host} runs a manager although it is never to take new runs with the main detector: is that meant?`;
        void tellDaq(env, 'error', why);
      }
      this.#watch();
      if (runOnce !== null) return await this.#processOnce(runOnce);
      this.#deleteLiveData();
      while (!this.#ends.aborted) {
        const seconds = await this.#turn();
        this.#throwFailure();
        if (await this.#keepingBack.handedBack(this.#ends)) return HANDED_BACK;
        if (await this.#bell.wait(seconds, this.#ends)) this.#claims.changed();
        this.#throwFailure();
      }
      return 0;
    } finally {
      this.#lifeSigns.stop();
    }
  }

  /** `process N --now`: takes the run as soon as the worker is there, and waits for its end. */
  async #processOnce(number: number): Promise<number> {
    const env = this.#env;
    while (!this.#ends.aborted) {
      const health = await this.#host.look();
      if (health.accepting.ok) break;
      await this.#bell.wait(1, this.#ends);
    }
    const taken = await untilAnswered(env, `run ${number}`, this.#ends, () => this.process(number));
    if (taken === null) return 0;
    if (!taken.ok) {
      env.log.error({ event: 'run.refused', run: number }, taken.message);
      return 1;
    }
    while (this.#book.size > 0 && !this.#ends.aborted) {
      await this.#bell.wait(env.pollSeconds, this.#ends);
      this.#throwFailure();
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
    if (this.#keepingBack.handingBack) return 'has seen to what was left';
    const { accepting } = await this.#host.look();
    return accepting.ok
      ? 'is ready to take runs'
      : `has begun, and takes no new run yet: ${accepting.reason}`;
  }

  #deleteLiveData(): void {
    this.#deletions.run(this.#ends).catch((error: unknown) => this.#fail(error));
  }

  /** An internal error of something that nobody waits for: it ends the manager. */
  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.#bell.ring();
  }

  /** The host's document names another manager: one of the two has to end. */
  #displaced(): void {
    if (this.#contested) return;
    this.#contested = true;
    this.#env.place.displaced(this.#ends).then(
      (answer) => {
        this.#contested = false;
        if (answer.kind === 'ours') return;
        const { reason, exitCode } = answer;
        this.#fail(new ManagerRefused(reason, { exitCode }));
      },
      (error: unknown) => this.#fail(error),
    );
  }

  #throwFailure(): void {
    if (this.#failure !== null) throw this.#failure.error;
  }

  onStoreEvent(event: StoreEvent): void {
    this.#databaseNews.tell(event);
    if (event.kind === 'refused' || event.kind === 'granted') this.#host.changed();
    if (event.kind !== 'connection') return;
    if (!event.up) this.#housekeeping.connectionLost();
    this.#bell.ring();
  }

  /** Takes one run now, out of turn, at a person's request. */
  process(number: number, document?: string): Promise<ControlResponse> {
    return this.#claims.process(number, document);
  }

  stopChildren(): Promise<ControlResponse> {
    const runners = this.#book.all();
    for (const runner of runners) {
      runner.end({ kind: 'manager', reason: 'stopped by an operator (bootstrax stop --children)' });
    }
    const runs = runners.map(({ run }) => run.number);
    return Promise.resolve({
      ok: true,
      message:
        runs.length === 0
          ? 'nothing is being processed here'
          : `ending run ${runs.join(', ')}: back to the queue, not counted`,
      runs,
    });
  }

  /** Takes no new run by a person's wish, also after a restart, until it is null. */
  async drain(drain: Drain | null): Promise<ControlResponse> {
    const { drains } = this.#env;
    await (drain === null ? drains.end() : drains.keep(drain));
    return this.#keepingBack.drain(drain);
  }

  /** Somebody at this machine has asked for something in the database. */
  asked(): ControlResponse {
    if (this.#ready) this.#asked.noticed();
    return { ok: true, message: 'what was asked for is looked at' };
  }

  /** Takes no new run, and ends when the present ones have ended. */
  handBack(how: HandBack): Promise<ControlResponse> {
    return this.#keepingBack.handBack(how);
  }

  /** Somebody wants to see in a database that this manager works on it. */
  async heartbeat(): Promise<ControlResponse> {
    await this.#lifeSigns.renewDocument();
    return { ok: true, message: `the document of ${this.#env.host} is written` };
  }

  async status(): Promise<ControlResponse> {
    const health = await this.#host.look();
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
  async giveBack(): Promise<void> {
    const over = new AbortController();
    const given = this.#book.all().map(async (runner) => {
      if (await runner.giveBack(over.signal)) this.#book.remove(runner);
    });
    const { clock } = this.#env;
    await Promise.race([Promise.all(given), clock.sleep(GIVE_BACK_SECONDS, over.signal)]);
    over.abort();
  }

  /** After the end: which runs go on without a manager, and how to stop them; which were not begun. */
  sayWhatGoesOn(): void {
    const all = this.#book.all();
    const numbers = (runners: readonly Runner[]) => runners.map(({ run }) => run.number);
    const unbegun = numbers(all.filter(({ reach }) => reach === null));
    if (unbegun.length > 0) {
      this.#env.log.info(
        { event: 'manager.claims_left', runs: unbegun },
        `run ${unbegun.join(', ')} was not begun: the next start gives it back, or another host takes ` +
          `it over after ${this.#env.rules.limits.consideringLeaseSeconds} s`,
      );
    }
    const runs = numbers(all.filter(({ reach }) => reach !== null));
    if (runs.length === 0) return;
    this.#env.log.info(
      { event: 'manager.children_go_on', runs },
      `run ${runs.join(', ')} goes on without a manager; the next start takes it over. ` +
        `To end it: start the manager and use 'bootstrax stop --children'`,
    );
  }

  async #turn(): Promise<number> {
    const env = this.#env;
    const before = this.#host.latest;
    const { accepting } = await this.#host.look(IDLE_HEALTH_SECONDS);
    if (accepting.ok && before?.accepting.ok === false) this.#claims.changed();
    const interval = this.#streaming ? env.pollSeconds : Math.min(env.pollSeconds, 1);
    this.#fleet.refresh((error) => this.#fail(error));
    this.#housekeeping.begin((error) => this.#fail(error));
    try {
      await unlessRefused(env, 'what people ask for', () => this.#asked.look(this.#listening));
      if (this.#keepingBack.handingBack) return interval;
      if (env.executor.places(this.#book.size).free === 0) {
        await this.#debts.giveWay(() => this.#claims.accepting());
        return interval;
      }
      const nextLookSeconds = await this.#claims.turn(interval, this.#streaming);
      await this.#debts.look(() => this.#claims.accepting());
      return Math.min(interval, nextLookSeconds);
    } catch (error) {
      if (!isOfDatabase(error)) throw error;
      this.#housekeeping.connectionLost();
      env.log.debug({ event: 'turn.missed', problem: error.message }, error.message);
      return interval;
    }
  }

  /** `noticed`: when this host learned that it may take the run; null if it did not by itself. */
  #attempt(run: Run, fence: Fence, noticed: Date | null): Attempt {
    const hooks = { onPhase: () => this.#lifeSigns.changed(), managerEnds: this.#ends };
    const policyOf = (life: Life) => new RunPolicy(this.#env, run, fence, life, noticed);
    return new Attempt(this.#env, fence, policyOf, hooks);
  }

  #begin(runner: Runner, work: () => Promise<void>): void {
    this.#book.add(runner);
    this.#lifeSigns.changed();
    this.#settled(runner, work()).then(
      () => {
        // When the manager ends, what goes on stays in the book: it is reported.
        if (this.#ends.aborted) return;
        this.#book.remove(runner);
        this.#claims.placeFree();
        this.#host.attemptEnded();
        this.#deletions.wake();
        // Somebody may have ended it.
        if (this.#ready) this.#asked.noticed();
        this.#lifeSigns.changed();
        this.#bell.ring();
      },
      (error: unknown) => this.#fail(error),
    );
  }

  /** What the database refuses concerns this run alone: what is on disk of it is found again later. */
  async #settled(runner: Runner, work: Promise<void>): Promise<void> {
    try {
      await work;
    } catch (error) {
      if (!isOfDatabase(error)) throw error;
      const { fence, run } = runner;
      await leaveAlone(this.#env, { id: fence.id, number: run.number }, error);
    }
  }

  #watch(): void {
    if (!this.#env.changeStream) return;
    this.#watchRuns();
    this.#watchActions();
  }

  #watchActions(): void {
    this.#listening = true;
    this.#env.store.actions
      .watch(() => this.#asked.noticed(), this.#ends)
      .then(
        () => (this.#listening = false),
        (error: unknown) => this.#fail(error),
      );
  }

  #watchRuns(): void {
    const { store } = this.#env;
    this.#streaming = true;
    store.runs
      .watch(
        (hint) => {
          const isToLook = hint === null || this.#claims.hinted(hint);
          const isMarked = hint === null || hint.touched.some(isMark);
          if (isMarked) this.#housekeeping.marksChanged();
          const isMended = hint === null || hint.touched.some(isOfDaq);
          if (isMended) this.#housekeeping.documentChanged();
          const runner = hint === null ? null : this.#book.ofRun(hint.id);
          if (runner !== null) {
            runner.look().then(
              // A person may have taken it away.
              () => {
                if (runner.ending) this.#asked.noticed();
              },
              (error: unknown) => {
                if (!isOfDatabase(error)) this.#fail(error);
              },
            );
          }
          const isDuty = (isMarked || isMended) && this.#fleet.dutyRank() === 0;
          if (isToLook || isDuty) this.#bell.ring();
        },
        this.#ends,
        { onAnswer: () => this.#claims.heard(), rest: () => this.#claims.rest() },
      )
      .then(
        (end) => {
          this.#streaming = false;
          if (end === 'unsupported') {
            this.#env.log.info(
              { event: 'stream.unsupported' },
              'the server has no change streams: polling',
            );
          }
        },
        (error: unknown) => this.#fail(error),
      );
  }
}

/** A field that the DAQ writes once, and people mend. */
function isOfDaq(field: string): boolean {
  return /^(start|end|mode|detectors|daq_config)(\.|$)/.test(field);
}

/** A field of a run by which people tell hosts what to do with it. */
function isMark(field: string): boolean {
  return field === 'number' || field.startsWith('tags');
}
