import type { AttemptFiles } from './files/attempt-directory.ts';
import { firstStepsAt, type AttemptTimes } from './attempt-times.pure.ts';
import { fieldsOf } from '../infra/values/bson-values.pure.ts';
import { isAsItsAttemptLeftIt } from '../claim/claimed-run.pure.ts';
import type { Plan, Progress, Result } from './attempt.pure.ts';
import type { ProcessIdentity } from '../infra/linux/process-identity.pure.ts';
import { parseRun, type Run } from '../run/run.pure.ts';
import { endProblem } from '../retry/unmendable.pure.ts';
import { judgeAttempt, type AttemptEnd, type Ended, type Verification } from './verdict.pure.ts';
import type { AttemptProcesses } from '../infra/linux/processes.ts';
import type { Fence, Fenced, ProgressSummary } from '../run/run.port.ts';
import { checkProducts } from './checks.ts';
import { DataListing } from './data-listing.ts';
import { isDiskTrouble } from '../ports/disk-trouble.ts';
import type { Environment } from '../ports/environment.ts';
import { beginHistory } from '../retry/attempt-history.ts';
import { wipeOnlineMonitor } from './online-monitor.ts';
import { makeRoom } from './files/make-room.ts';
import {
  isOfDatabase,
  isUnfit,
  unlessOutage,
  untilAnswered,
  untilWritten,
} from '../ports/persist.ts';
import { locationsOn, prepare } from '../plan/prepare.ts';
import type { AttemptPhase, Runner } from './runner.ts';
import { awaitForeignProcesses } from './process/foreign-processes.ts';
import { checkNumber } from '../run/same-number.ts';
import { settle, type AttemptSoFar, type Ending } from './conclude-attempt.ts';
import { planSummary, progressSummary } from '../plan/plan-summary.ts';
import { Supervision } from './supervise.ts';
import { workerIsUp } from './worker/worker-wait.ts';
import { workerWaitText } from '../claim/warm-place.pure.ts';
import { startMessage, tellDaq } from '../ports/notify.ts';

/** Between two looks at a run whose end is awaited, beside the change stream, seconds. */
const END_LOOK_SECONDS = 2;

/** One attempt at a run on this host, from the claim to its end. */
export class AttemptRunner implements Runner {
  readonly ofDebt = false;
  readonly fence: Fence;
  plan: Plan | null = null;
  #run: Run;
  #phase: AttemptPhase = 'preparing';
  readonly #env: Environment;
  readonly #onPhase: () => void;
  /** The manager ends: nothing more is written, the child goes on. */
  readonly #managerEnds: AbortSignal;
  /** The attempt is to end: waiting stops, the child is ended. */
  readonly #stop = new AbortController();
  #ended: Ended | null = null;
  /** Why a person abandoned the run meanwhile. */
  #abandoned: string | null = null;
  #state: 'considering' | 'busy' = 'considering';
  #supervision: Supervision | null = null;
  #result: Result | null = null;
  readonly #listing: DataListing;
  #startedAt: number;
  /** The server's time as last asked: this host's own clock may be wrong. */
  #known: { serverTime: Date; monotonicSeconds: number } | null = null;
  #peakMemoryBytes = 0;
  /** What the documents have said of when it came how far. */
  readonly #times: Pick<AttemptTimes, 'noticed' | 'claimed' | 'started'> = {};
  #lookedAgain: (() => void) | null = null;
  /** What keeps it from being begun, for those who ask. */
  #waitsFor: string | null = null;
  /** Who had the run before it was claimed here. */
  readonly #hostBefore: string | null;
  /** What it does now: ends soon after the manager's end. */
  #working: Promise<void> = Promise.resolve();
  #settled = false;
  /** The document takes nothing that makes it larger. */
  #tooLarge = false;

  /** `onPhase` is called at each change of phase. */
  constructor(
    env: Environment,
    run: Run,
    fence: Fence,
    managerEnds: AbortSignal,
    onPhase: () => void,
  ) {
    this.#onPhase = onPhase;
    this.#env = env;
    this.#run = run;
    this.#hostBefore = run.bootstrax.host;
    this.fence = fence;
    this.#managerEnds = managerEnds;
    this.#listing = new DataListing(
      env,
      () => (this.phase === 'settling' ? null : this.#owner()),
      () => this.end({ kind: 'superseded' }),
    );
    this.#startedAt = env.clock.monotonicSeconds();
  }

  get phase(): AttemptPhase {
    return this.#phase;
  }

  get run(): Run {
    return this.#run;
  }

  get progress(): Progress | null {
    return this.#supervision?.progress ?? null;
  }

  /** Null before there are any. */
  get processes(): AttemptProcesses | null {
    return this.#supervision?.processes ?? null;
  }

  /** It is to end, or at its end, already. */
  get ending(): boolean {
    return this.#stop.signal.aborted || this.#phase === 'settling';
  }

  /**
   * A new attempt: everything from the claim on. `noticed`: when this host learned that it may take
   * the run, by the server's clock; null if a person named it.
   */
  async work(noticed: Date | null): Promise<void> {
    if (noticed !== null) this.#times.noticed = noticed;
    this.#working = this.#withLifeSigns(() => this.#fromClaim());
    await this.#working;
  }

  /** An attempt of an earlier manager, as it is found on disk: alive, or with its last words. */
  async adopt(files: AttemptFiles & { plan: Plan }): Promise<void> {
    this.plan = files.plan;
    this.#listing.listedBefore(locationsOn(this.#env.host, this.#run));
    this.#state = 'busy';
    this.#noteTime(this.#run);
    this.#enter('running');
    if (files.ending !== null) this.end(files.ending.ended);
    this.#noteTags(this.#run);
    await this.#withLifeSigns(() =>
      this.#supervise(files.directory, files.started?.guardian ?? null),
    );
  }

  async giveBack(signal: AbortSignal): Promise<boolean> {
    // Whether it has a child is certain only once nothing of it is on its way.
    const isAtRest = await Promise.race([
      this.#working.then(
        () => true,
        () => false,
      ),
      new Promise<false>((resolve) => {
        signal.addEventListener('abort', () => resolve(false), { once: true });
      }),
    ]);
    if (this.#settled) return true;
    if (!isAtRest || this.#supervision !== null) return false;
    const phase = this.#phase;
    this.#ended ??= {
      kind: 'manager',
      reason: 'the manager was told to end before the run was begun',
    };
    try {
      await this.#settleUnstarted(signal);
    } catch (error) {
      if (!isOfDatabase(error)) throw error;
    }
    if (!this.#settled) this.#enter(phase);
    return this.#settled;
  }

  /** Ends the attempt for a cause; its child too. */
  end(cause: Ended): void {
    this.#ended ??= cause;
    this.#stop.abort();
    void this.#supervision?.end(cause);
  }

  /** Something about the run's document has changed: look whether it is still ours. */
  async look(): Promise<void> {
    // The answer may be older than a start that is written meanwhile.
    const known = this.#state;
    const document = await this.#env.store.runs.byId(this.fence.id);
    const parsed = parseRun(document);
    if (parsed.kind === 'run') {
      const { attempt, host, state } = parsed.run.bootstrax;
      const claimed = state === 'busy' || (state === 'considering' && known === state);
      const isOwn = isAsItsAttemptLeftIt(fieldsOf(document?.['bootstrax']));
      if (claimed && isOwn && attempt === this.fence.attempt && host === this.fence.host) {
        this.#run = parsed.run;
        this.#noteTime(parsed.run);
        this.#noteTags(parsed.run);
      } else if (this.phase !== 'settling') {
        this.end({ kind: 'superseded' });
      }
    }
    this.#lookedAgain?.();
  }

  /** The claim and the start are written once by this attempt; its life signs come later. */
  #noteTime({ bootstrax: { state, time, startedProcessing } }: Run): void {
    if (state === 'considering' && time !== null) this.#times.claimed ??= time;
    if (state === 'busy' && startedProcessing !== null) this.#times.started ??= startedProcessing;
  }

  #noteTags({ tags }: Run): void {
    const { abandonTag } = this.#env.rules.claim;
    if (!tags.includes(abandonTag)) return;
    this.#abandoned = `tagged ${abandonTag}`;
    this.end({ kind: 'operator', reason: this.#abandoned });
  }

  async #fromClaim(): Promise<void> {
    const env = this.#env;
    // What somebody wrote between the look that led to the claim and the claim itself counts.
    await untilAnswered(env, `run ${this.#run.number}`, this.#stopped(), () => this.look());
    if (this.#stop.signal.aborted) return this.#settleUnstarted();
    const record = {
      attempt: this.fence.attempt,
      run: this.#run.number,
      host: env.host,
      mode: this.#run.mode,
      failures: this.#run.bootstrax.failures,
      plan: null,
      times: this.#timesSoFar(),
    };
    if (!(await beginHistory(env, record, this.#managerEnds))) return;
    if (!(await this.#hasNumber())) return;
    // Before the plan is made: by then the worker has told what it can make, and the run has gone on.
    if (!(await this.#workerIsUp())) return;
    const prepared = await prepare(env, this.#run, this.fence, this.#stopped());
    switch (prepared.kind) {
      case 'stopped':
        return this.#settleUnstarted();
      case 'set_aside':
        return this.#settle(prepared);
      case 'unmendable':
        return this.#settle(prepared);
      case 'conclude':
        return this.#settle({ kind: 'judged', judgement: prepared.judgement });
      case 'planned':
        if (!(await this.#isFree())) return;
        return this.#start(prepared.plan);
    }
  }

  async #start(plan: Plan): Promise<void> {
    const env = this.#env;
    let directory: string;
    if (!(await this.#hasNumber())) return;
    try {
      // From here on a later manager knows that something of the run may be left here.
      directory = await env.attempts.create(plan);
      this.plan = plan;
      const room = await makeRoom(env, plan, this.fence, this.#stopped());
      if (room.kind === 'in_the_way') {
        this.#ended ??= { kind: 'host_problem', reason: room.reason };
      } else if (room.kind === 'superseded') this.#ended ??= { kind: 'superseded' };
      if (room.kind !== 'made') return await this.#settleUnstarted();
      await wipeOnlineMonitor(env, { ...this.fence, number: this.#run.number }, this.#stopped());
    } catch (error) {
      if (!isDiskTrouble(error)) throw error;
      const reason = `its folders cannot be written: ${error.message}`;
      this.#ended ??= { kind: 'host_problem', reason };
      return this.#settleUnstarted();
    }
    // It may have ended meanwhile.
    if (!(await this.#workerIsUp())) return;
    this.#enter('starting');
    let landed: Fenced | null;
    try {
      landed = await untilWritten(env, `the start of run ${plan.run}`, this.#stopped(), (again) =>
        env.store.runs.markBusy(this.fence, planSummary(plan), again),
      );
    } catch (error) {
      if (!isUnfit(error)) throw error;
      // What its document does not take now it will not take at the end either.
      return this.#settle({
        kind: 'set_aside',
        problems: [{ field: '(document)', problem: `the database refuses it: ${error.message}` }],
      });
    }
    if (landed !== 'landed') {
      if (landed === 'superseded') this.#ended = { kind: 'superseded' };
      return this.#settleUnstarted();
    }
    this.#state = 'busy';
    if (!(await this.#hasNumber())) return;
    if (!env.executor.startsAtOnce()) {
      const reason = `the worker on ${env.host} ended before it could start it`;
      this.#ended ??= { kind: 'host_problem', reason };
      return this.#settleUnstarted();
    }
    let guardian: ProcessIdentity;
    try {
      const start = await env.executor.start(plan, directory);
      guardian = start.guardian;
      env.log.info(
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
      void tellDaq(env, 'info', startMessage(env, plan), plan.run);
    } catch (error) {
      // No child exists: whatever keeps the worker from forking is this host's, not the run's.
      this.#ended = {
        kind: 'host_problem',
        reason: `the worker on ${env.host} could not start it: ${error instanceof Error ? error.message : String(error)}`,
      };
      return this.#settleUnstarted();
    }
    // The plan in the history is for people: the run does not wait for it.
    void unlessOutage(env, `the plan of run ${plan.run} in the history`, () =>
      env.store.attempts.plan(plan.attempt, plan),
    );
    await this.#supervise(directory, guardian);
  }

  /**
   * While the worker warms up nothing can process the run: it stays claimed, and says what it waits
   * for. False if it does not go on: the attempt was ended, or the worker does not come up.
   */
  async #workerIsUp(): Promise<boolean> {
    const { executor, store } = this.#env;
    if (executor.startsAtOnce()) return true;
    const stopped = this.#stopped();
    const since = await untilAnswered(this.#env, 'the time', stopped, () => store.serverTime());
    if (since !== null) {
      this.#waitsFor = workerWaitText(since);
      this.#enter('waiting_for_worker');
      await this.#lifeSign();
    }
    const up = await workerIsUp(this.#env, stopped);
    this.#waitsFor = null;
    if (!up.ok) this.#ended ??= { kind: 'host_problem', reason: up.reason };
    if (!up.ok || stopped.aborted) {
      await this.#settleUnstarted();
      return false;
    }
    this.#enter('preparing');
    await this.#lifeSign();
    return true;
  }

  /** False if processes that others have left here still write in the run's folders: it is given back. */
  async #isFree(): Promise<boolean> {
    const at = { run: this.#run, fence: this.fence, hostBefore: this.#hostBefore };
    const waits = (what: string | null) => (this.#waitsFor = what);
    const waited = await awaitForeignProcesses(this.#env, at, this.#stopped(), waits);
    if (waited.kind === 'free') return true;
    if (waited.kind === 'still_there') {
      this.#ended ??= { kind: 'host_problem', reason: waited.why };
    }
    await this.#settleUnstarted();
    return false;
  }

  /** One run number, one document: false if another has it, and this run has been set aside. */
  async #hasNumber(): Promise<boolean> {
    const check = await checkNumber(this.#env, this.#run, this.fence, this.#stopped());
    switch (check.kind) {
      case 'ours':
        return true;
      case 'others':
        await this.#settle({ kind: 'same_number', because: check.because });
        return false;
      case 'renumbered':
        this.#ended ??= { kind: 'manager', reason: 'its number was changed while it was prepared' };
        await this.#settleUnstarted();
        return false;
      case 'stopped':
        await this.#settleUnstarted();
        return false;
    }
  }

  async #supervise(directory: string, guardian: ProcessIdentity | null): Promise<void> {
    const env = this.#env;
    this.#enter('running');
    this.#supervision = new Supervision(env, {
      run: this.#run.number,
      attempt: this.fence.attempt,
      directory,
      guardian,
      ofDebt: false,
      sinceEndSeconds: () => this.#sinceEndSeconds(),
      onFolder: (folder) => this.#listing.add(folder),
      onProgress: (progress) => {
        this.#peakMemoryBytes = Math.max(this.#peakMemoryBytes, progress.memoryBytes);
      },
    });
    const supervision = this.#supervision;
    const end = await supervision.untilEnd(this.#ended, this.#managerEnds);
    if (end !== null) await this.#conclude(end);
  }

  /** Null while the run is taken, or as long as the server's time is not known. */
  #sinceEndSeconds(): number | null {
    if (this.#run.end === null || this.#known === null) return null;
    // What cannot be its end says nothing of when it ended.
    if (endProblem(this.#run) !== null) return null;
    const { serverTime, monotonicSeconds } = this.#known;
    const since = this.#env.clock.monotonicSeconds() - monotonicSeconds;
    return (serverTime.getTime() - this.#run.end.getTime()) / 1000 + since;
  }

  async #conclude(end: AttemptEnd): Promise<void> {
    this.#result = end.result;
    this.#peakMemoryBytes = Math.max(
      this.#peakMemoryBytes,
      end.result?.peakMemoryBytes ?? 0,
      end.exit?.peakMemoryBytes ?? 0,
      end.ended?.kind === 'memory_limit' ? end.ended.bytes : 0,
    );
    let known = end;
    let verification: Verification = { kind: 'ok' };
    try {
      verification = await this.#verification(end);
    } catch (error) {
      if (!isDiskTrouble(error)) throw error;
      // What lies on a disk that cannot be read may be as good as it says.
      const ended: Ended = end.ended ?? { kind: 'host_problem', reason: error.message };
      known = { ...end, result: null, exit: null, ended };
    }
    // A manager that stood still may have lost the run long ago: what its next owner wrote counts.
    await untilAnswered(this.#env, `run ${this.#run.number}`, this.#managerEnds, () => this.look());
    if (this.#managerEnds.aborted) return;
    const { plan } = this;
    const judgement = judgeAttempt(
      {
        ...known,
        ended: this.#ended ?? known.ended,
        ...(plan === null ? {} : { plan: readingOf(plan) }),
      },
      verification,
    );
    await this.#settle({ kind: 'judged', judgement });
  }

  async #verification(end: AttemptEnd): Promise<Verification> {
    if (end.result?.ok !== true || this.plan === null) return { kind: 'ok' };
    this.#enter('checking');
    return await checkProducts(this.#env, {
      plan: this.plan,
      result: end.result,
      run: () => this.#run,
      onWait: (what) => this.#enter(what === 'end' ? 'waiting_for_end' : 'checking'),
      nextLook: () => this.#nextLook(),
      stopped: () => this.#stop.signal.aborted || this.#managerEnds.aborted,
    });
  }

  /** Until the document has been looked at again, by a hint or after a while; false if it could not be. */
  async #nextLook(): Promise<boolean> {
    const looked = new AbortController();
    this.#lookedAgain = () => looked.abort();
    await this.#env.clock.sleep(
      END_LOOK_SECONDS,
      AbortSignal.any([looked.signal, this.#stopped()]),
    );
    this.#lookedAgain = null;
    if (looked.signal.aborted) return true;
    try {
      await this.look();
      return true;
    } catch (error) {
      if (!isOfDatabase(error)) throw error;
      return false;
    }
  }

  /** The attempt ends before a child existed. */
  async #settleUnstarted(signal = this.#managerEnds): Promise<void> {
    if (signal.aborted && this.#ended === null) return;
    const ended = this.#ended ?? { kind: 'manager', reason: 'stopped before the start' };
    const judgement = judgeAttempt(
      { run: this.#run.number, started: false, exit: null, result: null, ended },
      { kind: 'ok' },
    );
    const told = this.#managerEnds.aborted;
    await this.#settle({ kind: 'judged', judgement, told }, signal);
  }

  async #settle(judged: Ending, signal = this.#managerEnds): Promise<void> {
    const lost = judged.kind === 'judged' && judged.judgement.kind === 'superseded';
    const ending: Ending =
      this.#abandoned === null || lost ? judged : { kind: 'abandoned', reason: this.#abandoned };
    this.#enter('settling');
    const locations = await this.#listing.settled();
    const soFar: AttemptSoFar = {
      run: this.#run,
      fence: this.#owner(),
      plan: this.plan,
      result: this.#result,
      locations,
      bytes: this.progress?.bytes ?? null,
      chunks: this.progress?.chunks ?? null,
      phase: this.progress?.phase ?? null,
      seconds: this.#env.clock.monotonicSeconds() - this.#startedAt,
      peakMemoryBytes: this.#peakMemoryBytes || null,
      times: this.#timesSoFar(),
    };
    const outcome = await settle(this.#env, soFar, ending, signal);
    this.#settled = outcome !== null;
  }

  #timesSoFar(): AttemptTimes {
    const { start, end } = this.#run;
    return {
      runStart: start,
      ...(end === null ? {} : { runEnd: end }),
      ...this.#times,
      ...firstStepsAt(this.#times.started, this.progress ?? {}),
    };
  }

  #owner(): Fence {
    return this.#state === 'busy' ? { ...this.fence, state: 'busy' } : this.fence;
  }

  /** The run's time is refreshed from the claim to the conclusion, whatever else takes long. */
  async #withLifeSigns(work: () => Promise<void>): Promise<void> {
    const stop = this.#env.clock.every(this.#env.rules.limits.renewSeconds, () => this.#lifeSign());
    try {
      await work();
    } finally {
      stop();
    }
  }

  async #lifeSign(): Promise<void> {
    if (this.phase === 'settling') return;
    try {
      const landed = await this.#renew();
      // Tags are no life sign's business, and the hint of one may have been lost.
      await this.look();
      if (landed === 'landed') this.#listing.write();
      const serverTime = await this.#env.store.serverTime();
      this.#known = { serverTime, monotonicSeconds: this.#env.clock.monotonicSeconds() };
    } catch (error) {
      if (!isOfDatabase(error)) throw error;
    }
  }

  /** With the progress, or without it where the document takes no more: the time alone never grows. */
  async #renew(): Promise<Fenced> {
    const { runs } = this.#env.store;
    if (!this.#tooLarge) {
      try {
        const progress = this.progressSummary();
        const waitsFor = this.#state === 'considering' ? this.#waitsFor : undefined;
        return await runs.heartbeat(this.fence, this.#state, progress, waitsFor);
      } catch (error) {
        if (!isUnfit(error)) throw error;
        this.#tooLarge = true;
        this.#env.log.warn(
          { event: 'run.progress_refused', run: this.#run.number, problem: error.message },
          `the progress of run ${this.#run.number} is not shown in its document, which takes no more: ${error.message}`,
        );
      }
    }
    return runs.heartbeat(this.fence, this.#state, null);
  }

  /** As shown in the run document; null before the child's first line. */
  progressSummary(): ProgressSummary | null {
    const progress = this.progress;
    if (progress === null) return null;
    const phase = this.phase === 'running' ? null : this.phase;
    return progressSummary(progress, phase, this.#times.started);
  }

  #enter(phase: AttemptPhase): void {
    this.#phase = phase;
    this.#onPhase();
  }

  #stopped(): AbortSignal {
    return AbortSignal.any([this.#stop.signal, this.#managerEnds]);
  }
}

/** What of a plan tells whether another attempt would read more. */
function readingOf({ salvage, runConfig }: Plan): { salvage: boolean; compressor: unknown } {
  return { salvage: salvage === true, compressor: runConfig['daq_compressor'] };
}
