import type { AttemptFiles } from './files/attempt-directory.ts';
import { inOutput } from './files/place.ts';
import type { Plan, Progress, Result } from './attempt.pure.ts';
import type { AttemptPolicy, Life, WayOut } from './attempt-policy.ts';
import { assertMayEnter, type AttemptPhase } from './attempt-phases.pure.ts';
import {
  outcomeOf,
  type AttemptEnd,
  type Ended,
  type Outcome,
  type Verification,
} from './outcome.pure.ts';
import type { Runner } from './runner.ts';
import { Supervision } from './supervise.ts';
import type { AttemptTrace } from '../executors/executor.ts';
import type { Reach } from '../executors/reach.ts';
import { untilAborted } from '../infra/concurrency/until-aborted.ts';
import type { Environment } from '../ports/environment.ts';
import { isDiskTrouble, unlessDiskTrouble } from '../ports/disk-trouble.ts';
import { isOfDatabase, unlessOutage, untilAnswered } from '../ports/persist.ts';
import { beginHistory } from '../retry/attempt-history.ts';
import type { Fence, ProgressSummary } from '../run/run.port.ts';
import type { Run } from '../run/run.pure.ts';

/** Between two reads of a run whose end is awaited, beside the change stream, seconds. */
const END_READ_SECONDS = 2;
/** Between two searches for what may have been started, seconds. */
const FIND_SECONDS = 2;

/** What there is of an attempt when this manager takes it up. */
export type Observed =
  /** Its claim, and nothing else. */
  | { kind: 'claimed' }
  /** What an earlier manager has begun: its child is alive, or has left its last words. */
  | { kind: 'begun'; files: AttemptFiles & { plan: Plan } };

export interface AttemptHooks {
  /** At each change of phase. */
  onPhase: () => void;
  /** The manager ends: nothing more is written, the child goes on. */
  managerEnds: AbortSignal;
}

/** The arm to an attempt's processes. */
interface Reached {
  reach: Reach;
  /** It is known that one of them began. */
  begun: boolean;
}

/** The life of one attempt on this host, whatever it is an attempt at. */
export class Attempt implements Runner {
  readonly fence: Fence;
  plan: Plan | null = null;
  readonly #env: Environment;
  readonly #policy: AttemptPolicy;
  readonly #hooks: AttemptHooks;
  /** The attempt is to end: waiting stops, the child is ended. */
  readonly #stop = new AbortController();
  readonly #startedAt: number;
  #phase: AttemptPhase = 'claimed';
  #ended: Ended | null = null;
  #supervision: Supervision | null = null;
  #result: Result | null = null;
  #peakMemoryBytes = 0;
  /** What it has made is finished and was found to be whole. */
  #isChecked = false;
  #readAgain: (() => void) | null = null;
  /** What it does now: ends soon after the manager's end. */
  #working: Promise<void> = Promise.resolve();
  #concluded = false;

  constructor(
    env: Environment,
    fence: Fence,
    policyOf: (life: Life) => AttemptPolicy,
    hooks: AttemptHooks,
  ) {
    this.#env = env;
    this.fence = fence;
    this.#hooks = hooks;
    this.#startedAt = env.clock.monotonicSeconds();
    this.#policy = policyOf(this.#life());
  }

  get ofDebt(): boolean {
    return this.#policy.ofDebt;
  }

  get run(): Run {
    return this.#policy.run;
  }

  get phase(): AttemptPhase {
    return this.#phase;
  }

  get progress(): Progress | null {
    return this.#supervision?.progress ?? null;
  }

  get reach(): Reach | null {
    return this.#supervision?.reach ?? null;
  }

  get ending(): boolean {
    const isDecided = this.#phase === 'publishing' || this.#phase === 'concluding';
    return this.#stop.signal.aborted || isDecided;
  }

  progressSummary(): ProgressSummary | null {
    return this.#policy.progressSummary();
  }

  end(cause: Ended): void {
    this.#ended ??= cause;
    this.#stop.abort();
    const supervision = this.#supervision;
    if (supervision === null) return;
    this.#env.tasks.start(`the end of run ${this.run.number}`, () => supervision.end(cause));
  }

  async look(): Promise<void> {
    await this.#policy.read();
    this.#readAgain?.();
  }

  /** From what there is of it to its end, or until the manager ends. */
  async advance(observed: Observed): Promise<void> {
    this.#working = this.#live(observed);
    await this.#working;
  }

  async giveBack(signal: AbortSignal): Promise<boolean> {
    // Whether it has a child is certain only once nothing of it is on its way.
    const isAtRest = await Promise.race([
      this.#working.then(
        () => true,
        () => false,
      ),
      untilAborted(signal).then(() => false),
    ]);
    if (this.#concluded) return true;
    // What holds a done run for its debt ends with the lease.
    const mayHaveChild = this.#supervision !== null || this.#phase === 'finding';
    if (!isAtRest || mayHaveChild || this.ofDebt) return false;
    const reason = 'the manager was told to end before the run was begun';
    try {
      await this.#leave({ ended: { kind: 'manager', reason } }, signal);
    } catch (error) {
      if (!isOfDatabase(error)) throw error;
    }
    return this.#concluded;
  }

  async #live(observed: Observed): Promise<void> {
    const seconds = this.#env.rules.limits.renewSeconds;
    const name = `the heartbeat of run ${this.run.number}`;
    // The claim is renewed from here to the conclusion, whatever else takes long.
    const heartbeat = this.#env.tasks.every({ name, seconds }, () => this.#heartbeat());
    try {
      if (observed.kind === 'claimed') await this.#prepare();
      else await this.#goOn(observed.files);
    } finally {
      heartbeat.stop();
    }
  }

  async #goOn(files: AttemptFiles & { plan: Plan }): Promise<void> {
    this.plan = files.plan;
    if (files.ending !== null) this.end(files.ending.ended);
    this.#policy.adopted(files);
    const found = await this.#find(files);
    if (found !== null) await this.#supervise(files.directory, found);
  }

  async #prepare(): Promise<void> {
    const env = this.#env;
    const { number, mode, bootstrax } = this.run;
    // What somebody wrote between the read that led to the claim and the claim itself counts.
    await untilAnswered(env, `run ${number}`, this.#stopped(), () => this.look());
    if (this.#stop.signal.aborted) return this.#leave({ ended: null });
    const record = {
      ...{ attempt: this.fence.attempt, run: number, host: env.host, mode },
      ...{ failures: bootstrax.failures, plan: null, ...this.#policy.record() },
    };
    if (!(await beginHistory(env, record, this.#hooks.managerEnds))) return;
    this.#enter('preparing');
    const prepared = await this.#policy.prepare();
    return 'plan' in prepared ? this.#start(prepared.plan) : this.#leave(prepared);
  }

  async #start(plan: Plan): Promise<void> {
    const env = this.#env;
    let directory: string;
    try {
      // From here on a later manager knows that something of the run may be left here.
      directory = await env.attempts.create(plan);
      this.plan = plan;
      if (plan.place != null) await env.products.makePlace(plan.place);
      const way = await this.#policy.makeRoom(plan);
      if (way !== null) return await this.#leave(way);
    } catch (error) {
      if (!isDiskTrouble(error)) throw error;
      const reason = `its folders cannot be written: ${error.message}`;
      return this.#leave({ ended: { kind: 'host_problem', reason } });
    }
    if (this.#stopped().aborted) return this.#leave({ ended: null });
    this.#enter('starting');
    const way = await this.#policy.begin(plan);
    if (way !== null) return this.#leave(way);
    const reached = await this.#startChild(plan, directory);
    if (reached === null) return;
    // The plan in the history is for people: the run does not wait for it.
    const what = `the plan of run ${plan.run} in the history`;
    env.tasks.start(what, () =>
      unlessOutage(env, what, () => env.store.attempts.plan(plan.attempt, plan)),
    );
    await this.#supervise(directory, reached);
  }

  /** Null if there is no child, and the attempt has been concluded or is left to the next manager. */
  async #startChild(plan: Plan, directory: string): Promise<Reached | null> {
    const { executor, host, log } = this.#env;
    const unable = (reason: string) => this.#leave({ ended: { kind: 'host_problem', reason } });
    if (!executor.startsAtOnce()) {
      await unable(`the worker on ${host} ended before it could start it`);
      return null;
    }
    const start = await executor.start(plan, directory);
    switch (start.kind) {
      case 'started':
        this.#policy.started(plan, start);
        return { reach: start.reach, begun: true };
      case 'refused':
        // No child exists: whatever keeps the worker from forking is this host's, not the run's.
        await unable(`the worker on ${host} could not start it: ${start.reason}`);
        return null;
      case 'unknown':
        log.warn(
          { event: 'attempt.start_unknown', run: plan.run, executor: executor.name },
          `it is not known whether run ${plan.run} was started, and it is looked for: ${start.reason}`,
        );
        return this.#find({ id: plan.attempt, directory, started: null });
    }
  }

  /**
   * The arm to what has been asked for, by this manager or an earlier one. Null if nothing of it runs
   * or will, and the attempt has been concluded; or if the manager ends.
   */
  async #find({ id, directory, started }: AttemptTrace): Promise<Reached | null> {
    const { attempts, clock, executor, host } = this.#env;
    const limit = clock.monotonicSeconds() + executor.foundWithinSeconds;
    let trace: AttemptTrace = { id, directory, started };
    this.#enter('finding');
    for (;;) {
      const reach = await executor.find(trace);
      if (reach !== null) return { reach, begun: trace.started !== null };
      if (this.#hooks.managerEnds.aborted) return null;
      if (clock.monotonicSeconds() >= limit) break;
      // One that is to end is looked for as well: what cannot be found cannot be ended.
      await clock.sleep(FIND_SECONDS, this.#hooks.managerEnds);
      trace = (await attempts.read(id)) ?? trace;
    }
    // Should it begin after all, it ends itself.
    await unlessDiskTrouble(this.#env, `end attempt ${id}`, () =>
      attempts.markSuperseded(directory),
    );
    const reason = `nothing of it was found on ${host} within ${executor.foundWithinSeconds} s`;
    await this.#leave({ ended: { kind: 'host_problem', reason } });
    return null;
  }

  async #supervise(directory: string, { reach, begun }: Reached): Promise<void> {
    this.#enter('running');
    const supervision = new Supervision(this.#env, {
      run: this.run.number,
      attempt: this.fence.attempt,
      directory,
      reach,
      begun,
      ofDebt: this.ofDebt,
      sinceEndSeconds: () => this.#policy.sinceEndSeconds(),
      onFolder: (folder) => this.#policy.onFolder(folder),
      onProgress: ({ memoryBytes }) => this.#noteMemory(memoryBytes),
    });
    this.#supervision = supervision;
    const end = await supervision.untilEnd(this.#ended, this.#hooks.managerEnds);
    if (end !== null) await this.#judge(end);
  }

  #noteMemory(bytes: number | null | undefined): void {
    this.#peakMemoryBytes = Math.max(this.#peakMemoryBytes, bytes ?? 0);
  }

  /** The processes are gone: what the attempt has come to. */
  async #judge(end: AttemptEnd): Promise<void> {
    this.#result = end.result;
    this.#noteMemory(end.result?.peakMemoryBytes);
    this.#noteMemory(end.exit?.peakMemoryBytes);
    if (end.ended?.kind === 'memory_limit') this.#noteMemory(end.ended.bytes);
    let known = end;
    let verification: Verification = { kind: 'ok' };
    try {
      verification = await this.#check(end);
    } catch (error) {
      if (!isDiskTrouble(error)) throw error;
      // What lies on a disk that cannot be read may be as good as it says.
      const ended: Ended = end.ended ?? { kind: 'host_problem', reason: error.message };
      known = { ...end, result: null, exit: null, ended };
    }
    const { managerEnds } = this.#hooks;
    // A manager that stood still may have lost the run long ago: what its next owner wrote counts.
    await untilAnswered(this.#env, `run ${this.run.number}`, managerEnds, () => this.look());
    if (managerEnds.aborted) return;
    const { plan } = this;
    const reading = plan === null ? {} : { plan: readingOf(plan) };
    const ended = this.#ended ?? known.ended;
    await this.#conclude(outcomeOf({ ...known, ended, ...reading }, verification));
  }

  async #check({ result }: AttemptEnd): Promise<Verification> {
    if (result?.ok !== true || this.plan === null) return { kind: 'ok' };
    this.#enter('checking');
    const verification = await this.#policy.check(this.plan, result, {
      nextRead: () => this.#nextRead(),
      stopped: () => this.#stopped().aborted,
    });
    // Of a run that is lost the end may never be read: what is there is whole all the same.
    this.#isChecked = verification.kind !== 'bad';
    return verification;
  }

  /** Until the document has been read again, by a hint or after a while; false if it could not be. */
  async #nextRead(): Promise<boolean> {
    const read = new AbortController();
    this.#readAgain = () => read.abort();
    const signal = AbortSignal.any([read.signal, this.#stopped()]);
    await this.#env.clock.sleep(END_READ_SECONDS, signal);
    this.#readAgain = null;
    if (read.signal.aborted) return true;
    try {
      await this.look();
      return true;
    } catch (error) {
      if (!isOfDatabase(error)) throw error;
      return false;
    }
  }

  /** The attempt does not come as far as a child. */
  async #leave(way: WayOut, signal = this.#hooks.managerEnds): Promise<void> {
    if ('outcome' in way) return this.#conclude(way.outcome, signal);
    this.#ended ??= way.ended;
    if (signal.aborted && this.#ended === null) return;
    const ended = this.#ended ?? { kind: 'manager', reason: 'stopped before the start' };
    const end = { run: this.run.number, started: false, exit: null, result: null, ended };
    const outcome = outcomeOf(end, { kind: 'ok' });
    const told = this.#hooks.managerEnds.aborted;
    await this.#conclude(outcome.kind === 'failed' ? { ...outcome, told } : outcome, signal);
  }

  async #conclude(outcome: Outcome, signal = this.#hooks.managerEnds): Promise<void> {
    const { plan } = this;
    const made = this.#result;
    const figures = {
      plan,
      result: plan === null || made === null ? made : inOutput(plan, made),
      progress: this.progress,
      seconds: this.#env.clock.monotonicSeconds() - this.#startedAt,
      peakMemoryBytes: this.#peakMemoryBytes || null,
      isChecked: this.#isChecked,
    };
    this.#concluded = await this.#policy.conclude(figures, outcome, signal);
  }

  async #heartbeat(): Promise<void> {
    if (this.#phase === 'concluding') return;
    try {
      await this.#policy.renew();
    } catch (error) {
      if (!isOfDatabase(error)) throw error;
    }
  }

  #enter(phase: AttemptPhase): void {
    assertMayEnter(this.fence.attempt, this.#phase, phase);
    this.#phase = phase;
    this.#hooks.onPhase();
  }

  #stopped(): AbortSignal {
    return AbortSignal.any([this.#stop.signal, this.#hooks.managerEnds]);
  }

  #life(): Life {
    const phase = () => this.#phase;
    const plan = () => this.plan;
    const progress = () => this.progress;
    const stopped = this.#stopped();
    return {
      get phase() {
        return phase();
      },
      get plan() {
        return plan();
      },
      get progress() {
        return progress();
      },
      enter: (next) => this.#enter(next),
      end: (cause) => this.end(cause),
      renew: () => this.#heartbeat(),
      stopped,
    };
  }
}

/** What of a plan tells whether another attempt would read more. */
function readingOf({ salvage, runConfig }: Plan): { salvage: boolean; compressor: unknown } {
  return { salvage: salvage === true, compressor: runConfig['daq_compressor'] };
}
