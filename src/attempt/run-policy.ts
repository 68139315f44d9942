import { isAsItsAttemptLeftIt } from '../claim/claimed-run.pure.ts';
import { workerWaitText } from '../claim/warm-host.pure.ts';
import type { ExecutorName } from '../executors/executor-name.pure.ts';
import type { Where } from '../executors/reach.ts';
import { whereText } from '../executors/where-text.pure.ts';
import { planSummary, progressSummary } from '../plan/plan-summary.ts';
import { locationsOn, prepare } from '../plan/prepare.ts';
import type { Environment } from '../ports/environment.ts';
import { notifyDaq, startMessage } from '../ports/notify.ts';
import { isUnfit, unlessOutage, untilAnswered, untilWritten } from '../ports/persist.ts';
import { endProblem } from '../retry/unmendable.pure.ts';
import type { Fence, Fenced, ProgressSummary } from '../run/run.port.ts';
import { checkRun, readRun, type Run } from '../run/run.pure.ts';
import type { RunDocument } from '../run/run-document.port.ts';
import { ABANDON_TAG, HOLD_TAG } from '../run/run-tags.pure.ts';
import { checkNumber } from '../run/same-number.ts';
import type { StoredRun } from '../run/stored-run.pure.ts';
import type { Folder, Plan, Result } from './attempt.pure.ts';
import { assertIsIn, isDecided } from './attempt-phases.pure.ts';
import type { AttemptFigures, AttemptPolicy, CheckWaits, Life, WayOut } from './attempt-policy.ts';
import { type AttemptTimes, firstStepsAt } from './attempt-times.pure.ts';
import { checkProducts } from './checks.ts';
import { concludeAttempt } from './conclude-attempt.ts';
import type { AttemptFiles } from './files/attempt-directory.ts';
import { makeRoom } from './files/make-room.ts';
import { publishedLocation } from './files/place.ts';
import { wipeOnlineMonitor } from './online-monitor.ts';
import type { Outcome, Verification } from './outcome.pure.ts';
import { awaitForeignProcesses } from './process/foreign-processes.ts';
import { withoutReplaced } from './replaced-products.ts';
import { RUN_KIND } from './run-kind.ts';
import { Standstill } from './standstill.ts';
import { workerIsUp } from './worker/worker-wait.ts';

/** A run that is claimed. */
export interface RunTaken {
  run: Run;
  fence: Fence;
  /**
   * When this host learned that it may take the run, by the server's clock; null if a person named it,
   * or an earlier manager took it.
   */
  noticed: Date | null;
  to: ExecutorName;
}

/** An attempt at a run: its document is this host's from the claim to the conclusion. */
export class RunPolicy implements AttemptPolicy {
  readonly kind = RUN_KIND;
  readonly #env: Environment;
  readonly #claim: Fence;
  readonly #life: Life;
  /** Where what it has begun belongs, and what an earlier release has listed of it already. */
  readonly #locations = new Set<string>();
  readonly #to: ExecutorName;
  #run: Run;
  #state: 'considering' | 'busy' = 'considering';
  /** Why a person abandoned the run meanwhile. */
  #abandoned: string | null = null;
  /** The server's time as last asked: this host's own clock may be wrong. */
  #known: { serverTime: Date; monotonicSeconds: number } | null = null;
  /** What the documents have said of when it came how far. */
  readonly #times: Pick<AttemptTimes, 'noticed' | 'claimed' | 'started'> = {};
  /** What keeps it from being begun, for those who ask. */
  #waitsFor: string | null = null;
  /** Who had the run before it was claimed here. */
  readonly #hostBefore: string | null;
  /** An earlier manager has begun to publish what was made: that is finished first. */
  #isPublishing = false;
  readonly #standstill: Standstill;
  /** The document takes nothing that makes it larger. */
  #tooLarge = false;

  constructor(env: Environment, { run, fence, noticed, to }: RunTaken, life: Life) {
    this.#env = env;
    this.#run = run;
    this.#to = to;
    this.#claim = fence;
    this.#life = life;
    this.#standstill = new Standstill(env);
    this.#hostBefore = run.bootstrax.host;
    if (noticed !== null) this.#times.noticed = noticed;
  }

  get run(): Run {
    return this.#run;
  }

  record(): { times: AttemptTimes } {
    return { times: this.#timesSoFar() };
  }

  adopted({ publishing }: AttemptFiles): void {
    this.#isPublishing = publishing !== null;
    for (const listed of locationsOn(this.#env.host, this.#run)) this.#locations.add(listed);
    this.#state = this.#run.bootstrax.state === 'considering' ? 'considering' : 'busy';
    this.#noteTime(this.#run);
    this.#noteTags(this.#run);
  }

  get isBegun(): boolean {
    return this.#state === 'busy';
  }

  async awaitsPlace(where: Where): Promise<void> {
    const claim = this.#claim;
    const name = `what run ${this.#run.number} waits for`;
    await unlessOutage(this.#env, name, () =>
      this.#env.store.runs.noteJob(claim, jobOf(where), whereText(where, { withJob: false })),
    );
  }

  async prepare(): Promise<{ plan: Plan } | WayOut> {
    const before = (await this.#ownsNumber()) ?? (await this.#awaitsWorker());
    if (before !== null) return before;
    const prepared = await prepare(
      this.#env,
      this.#run,
      { fence: this.#claim, to: this.#to },
      this.#life.stopped,
    );
    if (prepared.kind === 'stopped') return { ended: null };
    if (prepared.kind !== 'planned') return { outcome: prepared };
    const after = (await this.#awaitsForeignProcesses()) ?? (await this.#ownsNumber());
    return after ?? { plan: prepared.plan };
  }

  async makeRoom(plan: Plan): Promise<WayOut | null> {
    const { stopped } = this.#life;
    const room = await makeRoom(this.#env, plan, this.#claim, stopped);
    switch (room.kind) {
      case 'in_the_way':
        return { ended: { kind: 'host_problem', reason: room.reason } };
      case 'superseded':
        return { ended: { kind: 'superseded' } };
      case 'stopped':
        return { ended: null };
      case 'made':
        break;
    }
    await wipeOnlineMonitor(this.#env, { ...this.#claim, number: this.#run.number }, stopped);
    // It may have ended meanwhile.
    return this.#awaitsWorker();
  }

  async begin(plan: Plan): Promise<WayOut | null> {
    const env = this.#env;
    let landed: Fenced | null;
    try {
      landed = await untilWritten(
        env,
        `the start of run ${plan.run}`,
        this.#life.stopped,
        (again) => env.store.runs.markBusy(this.#claim, planSummary(plan), again),
      );
    } catch (error) {
      if (!isUnfit(error)) throw error;
      // What its document does not take now it will not take at the end either.
      const problem = `the database refuses it: ${error.message}`;
      const problems = [{ field: '(document)', problem }];
      return { outcome: { kind: 'set_aside', cause: { kind: 'malformed', problems } } };
    }
    if (landed === 'superseded') return { ended: { kind: 'superseded' } };
    if (landed === null) return { ended: null };
    this.#state = 'busy';
    return this.#ownsNumber();
  }

  started(plan: Plan, start: { warm: boolean; why: string | null }): void {
    this.#env.log.info(
      {
        event: 'attempt.started',
        run: plan.run,
        attempt: plan.attempt,
        warm: start.warm,
        targets: plan.targets,
        cores: plan.cores,
      },
      `run ${plan.run} started${start.warm ? '' : ` cold (${start.why ?? 'the worker is not warm'})`}: ${plan.targets.join(', ')}`,
    );
    // The child runs already: it is not to wait for a log.
    notifyDaq(this.#env, 'info', startMessage(this.#env, plan), plan.run);
  }

  onFolder(folder: Folder): void {
    const { plan } = this.#life;
    if (plan !== null) this.#locations.add(publishedLocation(plan, folder.location));
  }

  sinceEndSeconds(): number | null {
    if (this.#run.end === null || this.#known === null) return null;
    // What cannot be its end says nothing of when it ended.
    if (endProblem(this.#run) !== null) return null;
    const { serverTime, monotonicSeconds } = this.#known;
    const since = this.#env.clock.monotonicSeconds() - monotonicSeconds;
    return (serverTime.getTime() - this.#run.end.getTime()) / 1000 + since;
  }

  async read(): Promise<void> {
    const noted = this.reading();
    noted(await this.#env.store.runs.byId(this.#claim.id));
  }

  reading(): (document: RunDocument | null) => void {
    // The answer may be older than a start that is written meanwhile.
    const known = this.#state;
    return (document) => this.#read(readRun(document), known);
  }

  #read(stored: StoredRun, known: 'considering' | 'busy'): void {
    const parsed = checkRun(stored);
    if (parsed.kind !== 'run') return;
    const { attempt, host, state } = parsed.run.bootstrax;
    const claimed = state === 'busy' || (state === 'considering' && known === state);
    const isOwn = isAsItsAttemptLeftIt(stored);
    if (claimed && isOwn && attempt === this.#claim.attempt && host === this.#claim.host) {
      this.#run = parsed.run;
      this.#noteTime(parsed.run);
      this.#noteTags(parsed.run);
    } else if (!this.#isDecided()) {
      this.#life.end({ kind: 'superseded' });
    }
  }

  async renew(): Promise<void> {
    await this.#renewTime();
    // Tags are no heartbeat's business, and the hint of one may have been lost.
    await this.read();
    const serverTime = await this.#env.store.serverTime();
    this.#known = { serverTime, monotonicSeconds: this.#env.clock.monotonicSeconds() };
  }

  check(plan: Plan, result: Result, { nextRead, stopped }: CheckWaits): Promise<Verification> {
    return checkProducts(this.#env, {
      plan,
      result,
      run: () => this.#run,
      onWait: (what) => this.#life.enter(what === 'end' ? 'waiting_for_end' : 'checking'),
      nextLook: nextRead,
      stopped,
    });
  }

  async conclude(figures: AttemptFigures, outcome: Outcome, signal: AbortSignal): Promise<boolean> {
    const isLost = outcome.kind === 'superseded';
    const attempt = {
      ...{ ...figures, run: this.#run, fence: this.#fence() },
      locations: withoutReplaced(figures.plan, [...this.#locations]),
      times: this.#timesSoFar(),
    };
    const wanted: Outcome =
      this.#abandoned === null || isLost ? outcome : { kind: 'abandoned', reason: this.#abandoned };
    const concluded = await concludeAttempt(this.#env, attempt, wanted, {
      signal,
      enter: (phase) => this.#life.enter(phase),
      mark: () => {
        assertIsIn(this.#claim.attempt, this.#life.phase, 'publishing');
        return this.#renewTime();
      },
    });
    return concluded !== null;
  }

  progressSummary(): ProgressSummary | null {
    const { progress, phase } = this.#life;
    if (progress === null) return null;
    const { started } = this.#times;
    return {
      ...progressSummary(progress, phase === 'running' ? null : phase, started),
      ...this.#standstill.noted({ run: this.#run, plan: this.#life.plan, progress, started }),
    };
  }

  /** What is written now was decided by what was known before. */
  #isDecided(): boolean {
    return isDecided(this.#life.phase);
  }

  #fence(): Fence {
    return this.#state === 'busy' ? { ...this.#claim, state: 'busy' } : this.#claim;
  }

  /** The claim and the start are written once by this attempt; its heartbeats come later. */
  #noteTime({ bootstrax: { state, time, startedProcessing } }: Run): void {
    if (state === 'considering' && time !== null) this.#times.claimed ??= time;
    if (state === 'busy' && startedProcessing !== null) this.#times.started ??= startedProcessing;
  }

  #noteTags({ tags }: Run): void {
    if (tags.includes(HOLD_TAG) && this.#life.phase === 'waiting_for_place') {
      this.#life.end({ kind: 'operator', reason: `tagged ${HOLD_TAG} before it had a place` });
    }
    if (!tags.includes(ABANDON_TAG) || this.#isPublishing) return;
    this.#abandoned = `tagged ${ABANDON_TAG}`;
    this.#life.end({ kind: 'operator', reason: this.#abandoned });
  }

  #timesSoFar(): AttemptTimes {
    const { start, end } = this.#run;
    return {
      runStart: start,
      ...(end === null ? {} : { runEnd: end }),
      ...this.#times,
      ...firstStepsAt(this.#times.started, this.#life.progress ?? {}),
    };
  }

  /** With the progress, or without it where the document takes no more: the time alone never grows. */
  async #renewTime(): Promise<Fenced> {
    const { runs } = this.#env.store;
    if (!this.#tooLarge) {
      try {
        const progress = this.progressSummary();
        const waitsFor = this.#state === 'considering' ? this.#waitsFor : undefined;
        return await runs.heartbeat(this.#claim, this.#state, progress, waitsFor);
      } catch (error) {
        if (!isUnfit(error)) throw error;
        this.#tooLarge = true;
        this.#env.log.warn(
          { event: 'run.progress_refused', run: this.#run.number, problem: error.message },
          `the progress of run ${this.#run.number} is not shown in its document, which takes no more: ${error.message}`,
        );
      }
    }
    return runs.heartbeat(this.#claim, this.#state, null);
  }

  /**
   * While the worker warms up nothing can process the run: it stays claimed, and says what it waits
   * for.
   */
  async #awaitsWorker(): Promise<WayOut | null> {
    const { executor, store } = this.#env;
    const { stopped } = this.#life;
    if (this.#to === 'slurm' || executor.startsAtOnce()) return null;
    const since = await untilAnswered(this.#env, 'the time', stopped, () => store.serverTime());
    if (since !== null) {
      this.#waitsFor = workerWaitText(since);
      this.#life.enter('waiting_for_worker');
      await this.#life.renew();
    }
    const up = await workerIsUp(this.#env, stopped);
    this.#waitsFor = null;
    if (!up.ok) return { ended: { kind: 'host_problem', reason: up.reason } };
    if (stopped.aborted) return { ended: null };
    this.#life.enter('preparing');
    await this.#life.renew();
    return null;
  }

  /** Processes that others have left here may still write in the run's folders. */
  async #awaitsForeignProcesses(): Promise<WayOut | null> {
    const at = { run: this.#run, fence: this.#claim, hostBefore: this.#hostBefore };
    const waits = (what: string | null) => (this.#waitsFor = what);
    const waited = await awaitForeignProcesses(this.#env, at, this.#life.stopped, waits);
    switch (waited.kind) {
      case 'free':
        return null;
      case 'still_there':
        return { ended: { kind: 'host_problem', reason: waited.why } };
      case 'stopped':
        return { ended: null };
    }
  }

  /** One run number, one document. */
  async #ownsNumber(): Promise<WayOut | null> {
    const check = await checkNumber(this.#env, this.#run, this.#claim, this.#life.stopped);
    switch (check.kind) {
      case 'ours':
        return null;
      case 'others':
        return {
          outcome: { kind: 'set_aside', cause: { kind: 'same_number', ...check.because } },
        };
      case 'renumbered':
        return {
          ended: { kind: 'manager', reason: 'its number was changed while it was prepared' },
        };
      case 'stopped':
        return { ended: null };
    }
  }
}

function jobOf(where: Where): { executor: string; id: string | null } {
  return { executor: where.executor, id: where.executor === 'slurm' ? where.job : null };
}
