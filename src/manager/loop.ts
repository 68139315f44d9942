import { parseRun, type Run } from '../domain/run.ts';
import type { ControlResponse } from '../machine/lock.ts';
import { seenOf } from '../store/runs.ts';
import type { Fence, Seen, StoreEvent } from '../store/types.ts';
import { AttemptBook } from './attempt-book.ts';
import { AttemptRunner } from './attempt-runner.ts';
import { Bell } from './bell.ts';
import { claimTurn, type Retries, type TurnAnswer } from './claiming.ts';
import { DatabaseNews } from './database-news.ts';
import { Debts } from './debts.ts';
import { Deletions } from './deletions.ts';
import type { Environment } from './environment.ts';
import { HANDED_BACK, HANDING_BACK, leave, type HandBack } from './hand-over.ts';
import { HostWatch } from './host-watch.ts';
import { Housekeeping } from './housekeeping.ts';
import { LifeSigns, thinking, type ManagerView } from './life-signs.ts';
import { MemoryWatch } from './memory-watch.ts';
import { isOutage, unlessOutage, untilAnswered } from './persist.ts';
import { requestedRun } from './requests.ts';
import { tellDaq } from './tell.ts';
import type { Runner } from './runner.ts';

/** How old a look at the host may be while there is nothing to claim: it writes to the disk, seconds. */
const IDLE_HEALTH_SECONDS = 30;

/**
 * While nothing waits and a change stream tells of what changes, the runs that fall due are asked for
 * this far ahead, and not again before that, seconds.
 */
const QUIET_RETRIES_SECONDS = 30;

/** The loop of one manager: recover, then notice, claim, watch, over and over. */
export class ManagerLoop {
  readonly #env: Environment;
  readonly #ends: AbortSignal;
  readonly #bell: Bell;
  readonly #book = new AttemptBook();
  readonly #lifeSigns: LifeSigns;
  readonly #memory: MemoryWatch;
  readonly #housekeeping: Housekeeping;
  readonly #host: HostWatch;
  readonly #deletions: Deletions;
  readonly #databaseNews: DatabaseNews;
  readonly #debts: Debts;
  #streaming = false;
  /** No run falls due before, as far as is known; monotonic seconds. */
  #noRetryBefore = -Infinity;
  #claiming: Promise<unknown> = Promise.resolve();
  #failure: { error: unknown } | null = null;
  #ready = false;
  #drained: string | null = null;
  #handBack: HandBack | null = null;

  constructor(env: Environment, ends: AbortSignal) {
    this.#env = env;
    this.#ends = ends;
    this.#bell = new Bell(env.clock);
    this.#databaseNews = new DatabaseNews(env);
    this.#deletions = new Deletions(env);
    this.#host = new HostWatch(
      env,
      () => this.#book.size,
      () => this.#lifeSigns.changed(),
    );
    this.#housekeeping = new Housekeeping(
      env,
      this.#book,
      {
        adopt: (run, document, files) => {
          const fence = { id: document._id, attempt: files.plan.attempt, host: env.host };
          const runner = this.#runner(run, fence);
          this.#begin(runner, () => runner.adopt(files));
        },
        adoptDebt: (document, files) => this.#debts.adopt(document, files),
      },
      ends,
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
    this.#lifeSigns = new LifeSigns(env, () => this.#view());
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
    return { health: this.#host.latest, runners: this.#book.all() };
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
      await unlessOutage(env, 'indexes', () => this.#ensureIndexes());
      this.#lifeSigns.start();
      void this.#memory.run(this.#ends);
      await this.#housekeeping.atStart();
      this.#ready = true;
      env.log.info({ event: 'manager.ready', host: env.host }, `${env.host} is ready to take runs`);
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
        if (await this.#handedBack()) return HANDED_BACK;
        if (await this.#bell.wait(seconds, this.#ends)) this.#noRetryBefore = -Infinity;
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
    const taken = await this.process(number);
    if (!taken.ok) {
      env.log.error({ event: 'run.refused', run: number }, taken.message);
      return 1;
    }
    while (this.#book.size > 0 && !this.#ends.aborted) {
      await this.#bell.wait(env.pollSeconds, this.#ends);
      this.#throwFailure();
    }
    await this.#deletions.pass(this.#ends);
    const [document] = await env.store.runs.byNumber(number);
    const parsed = parseRun(document);
    return parsed.kind === 'run' && parsed.run.bootstrax.state === 'done' ? 0 : 1;
  }

  #deleteLiveData(): void {
    this.#deletions.run(this.#ends).catch((error: unknown) => {
      this.#failure ??= { error };
      this.#bell.ring();
    });
  }

  #throwFailure(): void {
    if (this.#failure !== null) throw this.#failure.error;
  }

  onStoreEvent(event: StoreEvent): void {
    this.#databaseNews.tell(event);
    if (event.kind !== 'connection') return;
    if (!event.up) this.#housekeeping.connectionLost();
    this.#bell.ring();
  }

  /** Takes one run now, out of turn, at a person's request. */
  process(number: number): Promise<ControlResponse> {
    return this.#oneAtATime(() => this.#process(number));
  }

  /** Two claims at the same time would both see the last free place. */
  #oneAtATime<T>(claim: () => Promise<T>): Promise<T> {
    const answer = this.#claiming.then(claim);
    this.#claiming = answer.catch(() => undefined);
    return answer;
  }

  async #process(number: number): Promise<ControlResponse> {
    const env = this.#env;
    const asked = await requestedRun(env, number);
    if (!asked.ok) return asked;
    const { run, document } = asked;
    if (this.#book.size >= env.slots && this.#debts.giveWayTo(number)) {
      const message = `what a done run lacks was being made here, which ends now: ask again`;
      return { ok: false, message };
    }
    if (this.#book.size >= env.slots) {
      const busy = this.#book.all().map(({ run }) => run.number);
      return { ok: false, message: `this host is busy with run ${busy.join(', ')}` };
    }
    if (this.#book.ofRun(document._id) !== null) {
      return {
        ok: false,
        message: `an earlier attempt at run ${number} is still being cleaned up here; ask again`,
      };
    }
    const health = await this.#host.look();
    const { accepting } = health;
    // A person may well want to see what a quarantined host does with a run.
    if (!accepting.ok && accepting.kind !== 'quarantine') {
      return { ok: false, message: accepting.reason };
    }
    const seen = seenOf(document);
    const attempt = env.attempts.newId();
    if ((await env.store.runs.claim(seen, { attempt, host: env.host })) !== 'claimed') {
      return { ok: false, message: `run ${number} has just been taken by somebody else` };
    }
    this.#take(run, seen, attempt);
    return { ok: true, message: `run ${number} is being processed on ${env.host}`, attempt };
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

  /** Takes no new run for this reason, until it is null. */
  drain(reason: string | null): ControlResponse {
    this.#drained = reason;
    // To want runs again means to want the host back.
    if (reason === null) {
      this.#handBack = null;
      this.#deletions.resume();
    }
    this.#host.drain(this.#handBack === null ? reason : HANDING_BACK);
    this.wake();
    const runs = this.#book.all().map(({ run }) => run.number);
    const going = runs.length === 0 ? '' : `; run ${runs.join(', ')} goes on`;
    return {
      ok: true,
      message:
        reason === null ? 'runs are taken again' : `no new run is taken here: ${reason}${going}`,
      runs,
    };
  }

  /** Takes no new run, and ends when the present ones have ended. */
  async handBack(how: HandBack): Promise<ControlResponse> {
    this.#handBack = { endChildren: how.endChildren || this.#handBack?.endChildren === true };
    this.#host.drain(HANDING_BACK);
    // A claim that is on its way now still belongs to the present ones.
    await this.#claiming;
    this.#endChildren();
    this.wake();
    const runs = this.#book.all().map(({ run }) => run.number);
    const ending = this.#handBack.endChildren ? 'is ended: back to the queue, not counted' : 'ends';
    return {
      ok: true,
      message:
        runs.length === 0
          ? 'nothing is being processed here: the manager ends'
          : `no new run is taken; the manager ends when run ${runs.join(', ')} ${ending}`,
      runs,
    };
  }

  #endChildren(): void {
    if (this.#handBack?.endChildren !== true) return;
    for (const runner of this.#book.all()) {
      if (runner.ending) continue;
      const reason = 'ended by an operator (bootstrax handback --end-children)';
      runner.end({ kind: 'manager', reason });
    }
  }

  #isHandedBack(): boolean {
    return this.#handBack !== null && this.#book.size === 0 && !this.#ends.aborted;
  }

  /** Nothing is left to be done here, and that is in the databases. */
  async #handedBack(): Promise<boolean> {
    if (this.#handBack === null) return false;
    this.#endChildren();
    if (this.#book.size > 0) return false;
    await this.#housekeeping.atStart();
    if (!this.#isHandedBack()) return false;
    await this.#deletions.windUp(this.#ends);
    // That may have taken long enough for a person to want the host back.
    if (!this.#isHandedBack()) return false;
    await this.#lifeSigns.end();
    return leave(this.#env, this.#ends);
  }

  async status(): Promise<ControlResponse> {
    const health = await this.#host.look();
    return {
      ok: true,
      message: health.accepting.ok ? 'taking runs' : health.accepting.reason,
      pid: process.pid,
      host: this.#env.host,
      drained: this.#drained,
      handingBack: this.#handBack !== null,
      worker: this.#env.executor.describe(),
      runs: this.#book.all().map((runner) => ({
        run: runner.run.number,
        attempt: runner.fence.attempt,
        phase: runner.phase,
        progress: runner.progressSummary(),
      })),
    };
  }

  /** After the end: which runs go on without a manager, and how to stop them. */
  sayWhatGoesOn(): void {
    const runs = this.#book.all().map(({ run }) => run.number);
    if (runs.length === 0) return;
    this.#env.log.info(
      { event: 'manager.children_go_on', runs },
      `run ${runs.join(', ')} goes on without a manager; the next start takes it over. ` +
        `To end it: start the manager and use 'bootstrax stop --children'`,
    );
  }

  async #turn(): Promise<number> {
    const env = this.#env;
    await this.#host.look(IDLE_HEALTH_SECONDS);
    const interval = this.#streaming ? env.pollSeconds : Math.min(env.pollSeconds, 1);
    try {
      await this.#housekeeping.look();
      if (this.#handBack !== null) return interval;
      if (this.#book.size >= env.slots) {
        await this.#debts.giveWay(() => this.#accepting());
        return interval;
      }
      const nextDueSeconds = await this.#claimWhatIsDue(interval);
      await this.#debts.look(() => this.#accepting());
      return Math.min(interval, nextDueSeconds ?? interval);
    } catch (error) {
      if (!isOutage(error)) throw error;
      this.#housekeeping.connectionLost();
      env.log.debug({ event: 'turn.missed', problem: error.message }, error.message);
      return interval;
    }
  }

  /** Answers the seconds until the next run falls due, if that is known. */
  async #claimWhatIsDue(interval: number): Promise<number | null> {
    const now = this.#env.clock.monotonicSeconds();
    const askRetries = now >= this.#noRetryBefore;
    const withinSeconds = this.#streaming ? Math.max(interval, QUIET_RETRIES_SECONDS) : interval;
    const { quiet, nextDueSeconds } = await this.#oneAtATime(() =>
      this.#claim(askRetries ? { withinSeconds } : 'none'),
    );
    if (!quiet || !this.#streaming) this.#noRetryBefore = -Infinity;
    else if (askRetries) this.#noRetryBefore = now + withinSeconds;
    return nextDueSeconds;
  }

  #claim(retries: Retries): Promise<TurnAnswer> {
    const env = this.#env;
    return claimTurn(
      { ...env, slots: this.#host.slots },
      this.#book,
      () => this.#accepting(),
      retries,
      (run, seen, attempt) => this.#take(run, seen, attempt),
    );
  }

  async #accepting(): Promise<{ ok: true } | { ok: false; reason: string }> {
    const { accepting } = await this.#host.look();
    return accepting.ok ? { ok: true } : { ok: false, reason: accepting.reason };
  }

  #take(run: Run, seen: Seen, attempt: string): void {
    const fence = { id: seen.id, attempt, host: this.#env.host };
    const runner = this.#runner(run, fence);
    this.#begin(runner, () => runner.work());
  }

  #runner(run: Run, fence: Fence): AttemptRunner {
    return new AttemptRunner(this.#env, run, fence, this.#ends, () => this.#lifeSigns.changed());
  }

  #begin(runner: Runner, work: () => Promise<void>): void {
    this.#book.add(runner);
    this.#lifeSigns.changed();
    work().then(
      () => {
        // When the manager ends, what goes on stays in the book: it is reported.
        if (this.#ends.aborted) return;
        this.#book.remove(runner);
        this.#host.attemptEnded();
        this.#deletions.wake();
        this.#lifeSigns.changed();
        this.#bell.ring();
      },
      (error: unknown) => {
        this.#failure ??= { error };
        this.#bell.ring();
      },
    );
  }

  #watch(): void {
    const { store, changeStream } = this.#env;
    if (!changeStream) return;
    this.#streaming = true;
    store.runs
      .watch((hint) => {
        if (hint === null || hint.touched.some((field) => field.startsWith('tags'))) {
          this.#housekeeping.tagsChanged();
        }
        const runner = hint === null ? null : this.#book.ofRun(hint.id);
        if (runner !== null) {
          runner.look().catch((error: unknown) => {
            if (isOutage(error)) return;
            this.#failure ??= { error };
            this.#bell.ring();
          });
        }
        this.#bell.ring();
      }, this.#ends)
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
        (error: unknown) => {
          this.#failure ??= { error };
          this.#bell.ring();
        },
      );
  }

  async #ensureIndexes(): Promise<void> {
    const missing = await this.#env.store.missingIndexes();
    if (missing.length === 0) return;
    try {
      await this.#env.store.ensureIndexes();
    } catch (error) {
      if (isOutage(error)) throw error;
      this.#env.log.warn(
        { event: 'database.indexes', missing: missing.map(({ command }) => command) },
        `${missing.length} indexes are missing on the database: see 'bootstrax doctor'`,
      );
    }
  }
}
