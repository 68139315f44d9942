import type { ExecutorName } from '../../executors/executor-name.pure.ts';
import { progressSummary } from '../../plan/plan-summary.ts';
import type { Environment } from '../../ports/environment.ts';
import type { Fence, ProgressSummary } from '../../run/run.port.ts';
import { readRun, type Run } from '../../run/run.pure.ts';
import type { RunDocument } from '../../run/run-document.port.ts';
import type { Plan, Result } from '../attempt.pure.ts';
import { assertIsIn, isDecided } from '../attempt-phases.pure.ts';
import type { AttemptFigures, AttemptPolicy, Life, WayOut } from '../attempt-policy.ts';
import type { Outcome, Verification } from '../outcome.pure.ts';
import { concludeDebt } from './conclude-debt.ts';
import { debtFacts, OFFERABLE_RESTRAX } from './debt.pure.ts';
import { clearAdded, verifyAdded } from './debt-folders.ts';
import { DEBT_KIND } from './debt-kind.ts';
import { planDebt } from './debt-plan.ts';

/** A debt that is claimed. */
export interface DebtTaken {
  run: Run;
  fence: Fence;
  /** The attempt that left it. */
  debtor: string;
  on: ExecutorName;
}

/**
 * An attempt at what a done run lacks. The run stays done with what it has, whatever becomes of it:
 * nothing is counted, nothing that was there is removed, and only a success is listed.
 */
export class DebtPolicy implements AttemptPolicy {
  readonly kind = DEBT_KIND;
  readonly run: Run;
  readonly #env: Environment;
  readonly #fence: Fence;
  /** The attempt that left the debt. */
  readonly #debtor: string;
  readonly #on: ExecutorName;
  readonly #life: Life;

  constructor(env: Environment, { run, fence, debtor, on }: DebtTaken, life: Life) {
    this.#env = env;
    this.run = run;
    this.#fence = fence;
    this.#debtor = debtor;
    this.#on = on;
    this.#life = life;
  }

  record(): { ofDebt: true } {
    return { ofDebt: true };
  }

  adopted(): void {
    // All that matters of it is in its plan.
  }

  async prepare(): Promise<{ plan: Plan } | WayOut> {
    const planned = await planDebt(
      this.#env,
      this.run,
      { fence: this.#fence, to: this.#on },
      this.#life.stopped,
    );
    switch (planned.kind) {
      case 'plan':
        return { plan: planned.plan };
      case 'none':
        return { ended: { kind: 'host_problem', reason: planned.reason } };
      case 'stopped':
        return { ended: null };
    }
  }

  async makeRoom(plan: Plan): Promise<WayOut | null> {
    const room = await clearAdded(this.#env, plan, 'before_attempt', this.#life.stopped);
    if (room === null) return { ended: null };
    if (room.left.length === 0) return null;
    const named = room.left.map(({ path, why }) => `${path} (${why})`).join('; ');
    const reason = `folders that are not its to remove are in the way: ${named}`;
    return { ended: { kind: 'host_problem', reason } };
  }

  /** The run says nothing of it but who holds the debt. */
  begin(): Promise<null> {
    return Promise.resolve(null);
  }

  /** The run is done, and says nothing of it. */
  get isBegun(): boolean {
    return false;
  }

  awaitsPlace(): Promise<void> {
    return Promise.resolve();
  }

  started(plan: Plan): void {
    this.#env.log.info(
      { event: 'debt.started', run: plan.run, attempt: plan.attempt, targets: plan.targets },
      `what run ${plan.run} lacks is being made: ${plan.targets.join(', ')}`,
    );
  }

  onFolder(): void {
    // Listed at the end, all at once or not at all.
  }

  sinceEndSeconds(): null {
    return null;
  }

  async read(): Promise<void> {
    if (isDecided(this.#life.phase)) return;
    this.reading()(await this.#env.store.debts.run(this.#fence.id));
  }

  reading(): (document: RunDocument | null) => void {
    return (document) => this.#noted(document);
  }

  #noted(document: RunDocument | null): void {
    const facts = debtFacts(readRun(document));
    const ours =
      facts.state === 'done' &&
      facts.host === this.#fence.host &&
      facts.debtAttempt === this.#fence.attempt &&
      facts.status === null &&
      OFFERABLE_RESTRAX.includes(facts.restrax);
    if (!ours) this.#life.end({ kind: 'superseded' });
  }

  async renew(): Promise<void> {
    await this.#env.store.debts.renew(this.#fence);
    // Programs that go on with runs read fields of their own.
    await this.read();
  }

  check(plan: Plan, result: Result): Promise<Verification> {
    return verifyAdded(this.#env, plan, result);
  }

  async conclude(figures: AttemptFigures, outcome: Outcome, signal: AbortSignal): Promise<boolean> {
    const { run } = this;
    switch (outcome.kind) {
      case 'done':
      case 'failed':
      case 'superseded':
        break;
      default:
        throw new Error(`what run ${run.number} lacks cannot come to: ${outcome.kind}`);
    }
    const attempt = { run, fence: this.#fence, debtor: this.#debtor, ...figures };
    await concludeDebt(this.#env, attempt, outcome, {
      signal,
      enter: (phase) => this.#life.enter(phase),
      mark: () => {
        assertIsIn(this.#fence.attempt, this.#life.phase, 'publishing');
        return this.#env.store.debts.renew(this.#fence);
      },
    });
    return !signal.aborted;
  }

  progressSummary(): ProgressSummary | null {
    const { progress, phase } = this.#life;
    return progress === null ? null : progressSummary(progress, phase === 'running' ? null : phase);
  }
}
