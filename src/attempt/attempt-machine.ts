import type { ExecutorName } from '../executors/executor-name.pure.ts';
import type { Reach } from '../executors/reach.ts';
import { untilAborted } from '../infra/concurrency/until-aborted.ts';
import { isDiskTrouble } from '../ports/disk-trouble.ts';
import type { Environment } from '../ports/environment.ts';
import { isOfDatabase, unlessOutage, untilAnswered } from '../ports/persist.ts';
import { beginHistory } from '../retry/attempt-history.ts';
import type { Fence, ProgressSummary } from '../run/run.port.ts';
import type { Run } from '../run/run.pure.ts';
import type { RunDocument } from '../run/run-document.port.ts';
import type { Plan, Progress, Result } from './attempt.pure.ts';
import type { AttemptKind } from './attempt-kind.ts';
import {
  assertMayEnter,
  ATTEMPT_PHASES,
  type AttemptPhase,
  isDecided,
  isLeft,
  tracesOf,
} from './attempt-phases.pure.ts';
import { type AttemptPolicy, lifeOf, type WayOut } from './attempt-policy.ts';
import { isJob, takePlace } from './await-place.ts';
import { endDead } from './dead-attempt.ts';
import type { AttemptFiles } from './files/attempt-directory.ts';
import { inOutput } from './files/place.ts';
import { endFoundClaim } from './found-claim.ts';
import { NextRead } from './next-read.ts';
import type { AttemptHooks, AttemptOf, Held, Observed } from './observed-attempt.ts';
import {
  type AttemptEnd,
  type Ended,
  type Outcome,
  outcomeOf,
  outcomeWithoutChild,
  peakMemoryOf,
  readingOf,
  type Verification,
} from './outcome.pure.ts';
import type { Runner } from './runner.ts';
import { type ChildStart, findChild, type Reached, startChild } from './start-child.ts';
import { Supervision } from './supervise.ts';

/** The life of one attempt on this host, whatever it is an attempt at. */
export class Attempt implements Runner {
  plan: Plan | null = null;
  readonly on: ExecutorName;
  readonly #env: Environment;
  readonly #id: string;
  readonly #kind: AttemptKind;
  readonly #heldOrNull: Held | null;
  readonly #hooks: AttemptHooks;
  /** The attempt is to end: waiting stops, the child is ended. */
  readonly #stop = new AbortController();
  readonly #startedAt: number;
  #phase: AttemptPhase = 'claimed';
  /** The phases that it has come through, under this manager or an earlier one. */
  readonly #through = new Set<AttemptPhase>(['claimed']);
  #ended: Ended | null = null;
  #supervision: Supervision | null = null;
  #result: Result | null = null;
  #peakMemoryBytes = 0;
  /** What it has made is finished and was found to be whole. */
  #isChecked = false;
  readonly #nextRead: NextRead;
  /** To what waits for its place. */
  #waiting: Reach | null = null;
  /** What it does now: ends soon after the manager's end. */
  #working: Promise<void> = Promise.resolve();
  #concluded = false;

  constructor(env: Environment, of: AttemptOf, hooks: AttemptHooks) {
    this.#env = env;
    this.#hooks = hooks;
    this.on = 'kind' in of ? 'local' : of.on;
    this.#startedAt = env.clock.monotonicSeconds();
    this.#nextRead = new NextRead(env.clock, () => this.look());
    if ('kind' in of) {
      this.#id = of.attempt;
      this.#kind = of.kind;
      this.#heldOrNull = null;
    } else {
      const enter = (phase: AttemptPhase) => this.#enter(phase);
      const own = { enter, renew: () => this.#heartbeat(), stopped: this.#stopped() };
      const policy = of.policyOf(lifeOf(this, own));
      this.#id = of.fence.attempt;
      this.#kind = policy.kind;
      this.#heldOrNull = { fence: of.fence, policy };
    }
  }

  get fence(): Fence {
    return this.#held.fence;
  }

  get ofDebt(): boolean {
    return this.#kind.ofDebt;
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
    return this.#supervision?.reach ?? this.#waiting;
  }

  get ending(): boolean {
    return this.#stop.signal.aborted || isDecided(this.#phase);
  }

  get #policy(): AttemptPolicy {
    return this.#held.policy;
  }

  get #held(): Held {
    if (this.#heldOrNull === null) {
      throw new Error(`attempt ${this.#id} has no run: it was found dead`);
    }
    return this.#heldOrNull;
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
    this.#nextRead.noted();
  }

  reading(): (document: RunDocument | null) => void {
    return this.#policy.reading();
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
    const mayHaveChild = this.reach !== null || this.#phase === 'finding';
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
    const { managerEnds } = this.#hooks;
    if (observed.kind !== 'claimed') ATTEMPT_PHASES.forEach((phase) => this.#through.add(phase));
    switch (observed.kind) {
      case 'claimed':
        return this.#holding(() => this.#prepare());
      case 'begun':
        return this.#holding(() => this.#goOn(observed.files));
      case 'found_dead':
        this.#enter('taking_back');
        return endDead(this.#env, this.#kind, observed, managerEnds);
      case 'found_claim': {
        const enter = (phase: AttemptPhase) => this.#enter(phase);
        return endFoundClaim(this.#env, this.#id, observed.document, {
          enter,
          signal: managerEnds,
        });
      }
    }
  }

  /** The claim is renewed meanwhile, whatever else takes long. */
  async #holding(life: () => Promise<void>): Promise<void> {
    const { tasks, rules } = this.#env;
    const name = `the heartbeat of run ${this.run.number}`;
    const seconds = rules.limits.renewSeconds;
    const heartbeat = tasks.every({ name, seconds }, () => this.#heartbeat());
    try {
      await life();
    } finally {
      heartbeat.stop();
    }
  }

  async #goOn(files: AttemptFiles & { plan: Plan }): Promise<void> {
    this.plan = files.plan;
    if (files.ending !== null) this.end(files.ending.ended);
    this.#policy.adopted(files);
    await this.#superviseFound(
      files.directory,
      await findChild(this.#env, files, this.#starting()),
    );
  }

  async #prepare(): Promise<void> {
    const env = this.#env;
    const { number, mode, bootstrax } = this.run;
    // What somebody wrote between the read that led to the claim and the claim itself counts.
    await untilAnswered(env, `run ${number}`, this.#stopped(), () => this.look());
    if (this.#stop.signal.aborted) return this.#leave({ ended: null });
    const record = {
      ...{ attempt: this.#id, run: number, host: env.host, mode },
      ...{ failures: bootstrax.failures, plan: null, ...this.#policy.record() },
    };
    this.#enter('preparing');
    // What is read for the plan need not wait until the history is on the server's disk.
    const [begun, prepared] = await Promise.all([
      beginHistory(env, record, this.#hooks.managerEnds),
      this.#policy.prepare(),
    ]);
    if (!begun) return;
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
    // A job has the run once it has a place.
    const way = isJob(plan) ? null : await this.#policy.begin(plan);
    if (way !== null) return this.#leave(way);
    const child = await startChild(env, plan, directory, this.#starting());
    // The plan in the history is for people: the run does not wait for it.
    const what = `the plan of run ${plan.run} in the history`;
    if (child.kind === 'reached') {
      env.tasks.start(what, () =>
        unlessOutage(env, what, () => env.store.attempts.plan(plan.attempt, plan)),
      );
    }
    await this.#superviseFound(directory, child);
  }

  #starting(): Parameters<typeof startChild>[3] {
    return {
      onStarted: (start) => this.plan !== null && this.#policy.started(this.plan, start),
      onFinding: () => this.#enter('finding'),
      managerEnds: this.#hooks.managerEnds,
    };
  }

  async #superviseFound(directory: string, child: ChildStart): Promise<void> {
    if (child.kind !== 'reached') return child.kind === 'none' ? this.#leave(child.way) : undefined;
    const { plan } = this;
    const isPlaced = plan === null || !isJob(plan) || child.begun || this.#policy.isBegun;
    if (isPlaced) return this.#supervise(directory, child);
    this.#waiting = child.reach;
    this.#enter('waiting_for_place');
    const at = { attempt: this.#id, plan, directory, reach: child.reach };
    const { managerEnds } = this.#hooks;
    const way = await takePlace(this.#env, this.#policy, at, {
      stopped: this.#stopped(),
      managerEnds,
    });
    if (way === 'begun') await this.#supervise(directory, child);
    else if (way !== 'manager_ends') await this.#leave(way);
  }

  async #supervise(directory: string, { reach, begun }: Reached): Promise<void> {
    this.#enter('running');
    const supervision = new Supervision(this.#env, {
      run: this.run.number,
      attempt: this.#id,
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
    this.#noteMemory(peakMemoryOf(end));
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
      nextRead: () => this.#nextRead.wait(this.#stopped()),
      stopped: () => this.#stopped().aborted,
    });
    // Of a run that is lost the end may never be read: what is there is whole all the same.
    this.#isChecked = verification.kind !== 'bad';
    return verification;
  }

  /** The attempt does not come as far as a child. */
  async #leave(way: WayOut, signal = this.#hooks.managerEnds): Promise<void> {
    if ('outcome' in way) return this.#conclude(way.outcome, signal);
    this.#ended ??= way.ended;
    if (signal.aborted && this.#ended === null) return;
    const ended = this.#ended ?? { kind: 'manager', reason: 'stopped before the start' };
    const told = this.#hooks.managerEnds.aborted;
    await this.#conclude(outcomeWithoutChild(this.run.number, ended, told), signal);
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
      traces: tracesOf(this.#through),
    };
    this.#concluded = await this.#policy.conclude(figures, outcome, signal);
  }

  async #heartbeat(): Promise<void> {
    const isRenewed = this.#phase === 'waiting_for_place';
    if (isLeft(this.#phase) || isRenewed) return;
    try {
      await this.#policy.renew();
    } catch (error) {
      if (!isOfDatabase(error)) throw error;
    }
  }

  #enter(phase: AttemptPhase): void {
    assertMayEnter(this.#id, this.#phase, phase);
    this.#phase = phase;
    this.#through.add(phase);
    this.#hooks.onPhase();
  }

  #stopped(): AbortSignal {
    return AbortSignal.any([this.#stop.signal, this.#hooks.managerEnds]);
  }
}
