import type { AttemptFiles } from '../files/attempt-directory.ts';
import type { Plan, Progress } from '../attempt.pure.ts';
import type { ProcessIdentity } from '../../infra/linux/process-identity.pure.ts';
import { debtFacts, OFFERABLE_RESTRAX } from './debt.pure.ts';
import type { Run } from '../../run/run.pure.ts';
import { judgeAttempt, type AttemptEnd, type Ended, type Verification } from '../verdict.pure.ts';
import type { AttemptProcesses } from '../../infra/linux/processes.ts';
import type { Fence, ProgressSummary } from '../../run/run.port.ts';
import type { AttemptPhase, Runner } from '../runner.ts';
import { clearAdded, verifyAdded } from './debt-folders.ts';
import { planDebt } from './debt-plan.ts';
import { settleDebt } from './conclude-debt.ts';
import { isDiskTrouble } from '../../ports/disk-trouble.ts';
import type { Environment } from '../../ports/environment.ts';
import { beginHistory } from '../../retry/attempt-history.ts';
import { isOfDatabase, unlessOutage, untilAnswered } from '../../ports/persist.ts';
import { progressSummary } from '../../plan/plan-summary.ts';
import { Supervision } from '../supervise.ts';

/**
 * One attempt at what a done run lacks. The run stays done with what it has, whatever becomes of it:
 * nothing is counted, nothing that was there is removed, and only a success is listed.
 */
export class DebtRunner implements Runner {
  readonly ofDebt = true;
  readonly fence: Fence;
  readonly run: Run;
  plan: Plan | null = null;
  readonly #env: Environment;
  /** The attempt that left the debt. */
  readonly #debtor: string;
  readonly #managerEnds: AbortSignal;
  readonly #onPhase: () => void;
  readonly #stop = new AbortController();
  #phase: AttemptPhase = 'preparing';
  #ended: Ended | null = null;
  #supervision: Supervision | null = null;
  #peakMemoryBytes = 0;
  readonly #startedAt: number;

  constructor(
    env: Environment,
    run: Run,
    fence: Fence,
    debtor: string,
    managerEnds: AbortSignal,
    onPhase: () => void,
  ) {
    this.#env = env;
    this.run = run;
    this.fence = fence;
    this.#debtor = debtor;
    this.#managerEnds = managerEnds;
    this.#onPhase = onPhase;
    this.#startedAt = env.clock.monotonicSeconds();
  }

  get phase(): AttemptPhase {
    return this.#phase;
  }

  get progress(): Progress | null {
    return this.#supervision?.progress ?? null;
  }

  get processes(): AttemptProcesses | null {
    return this.#supervision?.processes ?? null;
  }

  get ending(): boolean {
    return this.#stop.signal.aborted || this.#phase === 'settling';
  }

  progressSummary(): ProgressSummary | null {
    if (this.progress === null) return null;
    return progressSummary(this.progress, this.phase === 'running' ? null : this.phase);
  }

  /** From the claim of the debt on. */
  async work(): Promise<void> {
    await this.#withLifeSigns(() => this.#fromClaim());
  }

  /** One of an earlier manager, as it is found on disk. */
  async adopt(files: AttemptFiles & { plan: Plan }): Promise<void> {
    this.plan = files.plan;
    this.#enter('running');
    if (files.ending !== null) this.end(files.ending.ended);
    await this.#withLifeSigns(() =>
      this.#supervise(files.directory, files.started?.guardian ?? null),
    );
  }

  end(cause: Ended): void {
    this.#ended ??= cause;
    this.#stop.abort();
    void this.#supervision?.end(cause);
  }

  /** Whether it is still ours, and nobody has gone on with the run. */
  async look(): Promise<void> {
    if (this.#phase === 'settling') return;
    const document = await this.#env.store.debts.run(this.fence.id);
    const facts = debtFacts(document ?? {});
    const ours =
      facts.state === 'done' &&
      facts.host === this.fence.host &&
      facts.debtAttempt === this.fence.attempt &&
      facts.status === null &&
      OFFERABLE_RESTRAX.includes(facts.restrax);
    if (!ours) this.end({ kind: 'superseded' });
  }

  /** The run is done, and stays so: what holds it for its debt ends with the lease. */
  giveBack(): Promise<boolean> {
    return Promise.resolve(false);
  }

  async #fromClaim(): Promise<void> {
    const env = this.#env;
    const record = {
      attempt: this.fence.attempt,
      run: this.run.number,
      host: env.host,
      mode: this.run.mode,
      failures: this.run.bootstrax.failures,
      ofDebt: true,
      plan: null,
    };
    if (!(await beginHistory(env, record, this.#managerEnds))) return;
    const planned = await planDebt(env, this.run, this.fence, this.#stopped());
    if (planned.kind === 'plan') return this.#start(planned.plan);
    if (planned.kind === 'none') this.#ended ??= { kind: 'host_problem', reason: planned.reason };
    await this.#settleUnstarted();
  }

  async #start(plan: Plan): Promise<void> {
    const env = this.#env;
    let directory: string;
    let guardian: ProcessIdentity;
    try {
      directory = await env.attempts.create(plan);
      this.plan = plan;
      const room = await clearAdded(env, plan, 'before_attempt', this.#stopped());
      if (room !== null && room.left.length > 0) {
        const named = room.left.map(({ path, why }) => `${path} (${why})`).join('; ');
        const reason = `folders that are not its to remove are in the way: ${named}`;
        this.#ended ??= { kind: 'host_problem', reason };
        return await this.#settleUnstarted();
      }
      if (this.#stop.signal.aborted || this.#managerEnds.aborted) return this.#settleUnstarted();
      this.#enter('starting');
      ({ guardian } = await env.executor.start(plan, directory));
    } catch (error) {
      const reason = `it could not be started: ${error instanceof Error ? error.message : String(error)}`;
      this.#ended ??= { kind: 'host_problem', reason };
      return this.#settleUnstarted();
    }
    env.log.info(
      { event: 'debt.started', run: plan.run, attempt: plan.attempt, targets: plan.targets },
      `what run ${plan.run} lacks is being made: ${plan.targets.join(', ')}`,
    );
    void unlessOutage(env, `the plan of run ${plan.run} in the history`, () =>
      env.store.attempts.plan(plan.attempt, plan),
    );
    await this.#supervise(directory, guardian);
  }

  async #supervise(directory: string, guardian: ProcessIdentity | null): Promise<void> {
    this.#enter('running');
    const supervision = new Supervision(this.#env, {
      run: this.run.number,
      attempt: this.fence.attempt,
      directory,
      guardian,
      ofDebt: true,
      sinceEndSeconds: () => null,
      onFolder: () => undefined,
      onProgress: ({ memoryBytes }) => this.#noteMemory(memoryBytes),
    });
    this.#supervision = supervision;
    const end = await supervision.untilEnd(this.#ended, this.#managerEnds);
    if (end !== null) await this.#conclude(end);
  }

  #noteMemory(bytes: number): void {
    this.#peakMemoryBytes = Math.max(this.#peakMemoryBytes, bytes);
  }

  async #conclude(end: AttemptEnd): Promise<void> {
    this.#noteMemory(end.result?.peakMemoryBytes ?? 0);
    this.#noteMemory(end.exit?.peakMemoryBytes ?? 0);
    this.#enter('checking');
    let verification: Verification = { kind: 'ok' };
    let known = end;
    try {
      if (end.result?.ok === true && this.plan !== null) {
        verification = await verifyAdded(this.#env, this.plan, end.result);
      }
    } catch (error) {
      if (!isDiskTrouble(error)) throw error;
      const ended: Ended = end.ended ?? { kind: 'host_problem', reason: error.message };
      known = { ...end, result: null, exit: null, ended };
    }
    await untilAnswered(this.#env, `run ${this.run.number}`, this.#managerEnds, () => this.look());
    if (this.#managerEnds.aborted) return;
    await this.#settle({ ...known, ended: this.#ended ?? known.ended }, verification);
  }

  async #settleUnstarted(): Promise<void> {
    if (this.#managerEnds.aborted && this.#ended === null) return;
    const ended = this.#ended ?? { kind: 'manager', reason: 'stopped before the start' };
    const { number } = this.run;
    await this.#settle(
      { run: number, started: false, exit: null, result: null, ended },
      { kind: 'ok' },
    );
  }

  async #settle(end: AttemptEnd, verification: Verification): Promise<void> {
    this.#enter('settling');
    await settleDebt(
      this.#env,
      {
        run: this.run,
        fence: this.fence,
        debtor: this.#debtor,
        plan: this.plan,
        result: end.result,
        progress: this.progress,
        seconds: this.#env.clock.monotonicSeconds() - this.#startedAt,
        peakMemoryBytes: this.#peakMemoryBytes || null,
      },
      judgeAttempt(end, verification),
      this.#managerEnds,
    );
  }

  async #withLifeSigns(work: () => Promise<void>): Promise<void> {
    const { clock, rules } = this.#env;
    const stop = clock.every(rules.limits.renewSeconds, () => this.#lifeSign());
    try {
      await work();
    } finally {
      stop();
    }
  }

  async #lifeSign(): Promise<void> {
    if (this.#phase === 'settling') return;
    try {
      await this.#env.store.debts.renew(this.fence);
      // Programs that go on with runs look at fields of their own.
      await this.look();
    } catch (error) {
      if (!isOfDatabase(error)) throw error;
    }
  }

  #enter(phase: AttemptPhase): void {
    this.#phase = phase;
    this.#onPhase();
  }

  #stopped(): AbortSignal {
    return AbortSignal.any([this.#stop.signal, this.#managerEnds]);
  }
}
