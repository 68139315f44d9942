import { type Bookmarks, candidatePages } from '../../claim/candidates.ts';
import { claimDecision, type FleetFacts, type HostFacts } from '../../claim/claim.pure.ts';
import { fleetFacts } from '../../claim/fleet-facts.ts';
import type { ExecutorName } from '../../executors/executor-name.pure.ts';
import { counted } from '../../infra/values/counted.pure.ts';
import type { Environment } from '../../ports/environment.ts';
import { unlessOutage } from '../../ports/persist.ts';
import type { Fence } from '../../run/run.port.ts';
import { checkRun, readRun, type Run } from '../../run/run.pure.ts';
import type { RunDocument } from '../../run/run-document.port.ts';
import { seenOf } from '../../run/stored-runs.ts';
import type { Plan } from '../attempt.pure.ts';
import type { AttemptBook } from '../attempt-book.ts';
import { Attempt } from '../attempt-machine.ts';
import type { Life } from '../attempt-policy.ts';
import type { AttemptFiles } from '../files/attempt-directory.ts';
import type { Runner } from '../runner.ts';
import type { DebtDocument } from './debt.port.ts';
import { debtFacts, debtorOf, offerable } from './debt.pure.ts';
import { DebtPolicy } from './debt-policy.ts';

/** A debt that an attempt of this host makes up for. */
interface Held {
  run: Run;
  fence: Fence;
  /** The attempt that left the debt. */
  debtor: string;
  on: ExecutorName;
}

/** Debts read in one round. */
const BATCH = 20;

/**
 * Makes up for what done runs of this host lack, when it has nothing else to do: those offered, and
 * with `debt.offerWhenIdle` any, while no run waits. Gives way to every run.
 */
export class Debts {
  readonly #env: Environment;
  readonly #book: AttemptBook;
  readonly #ends: AbortSignal;
  readonly #begin: (attempt: Attempt, work: () => Promise<void>) => void;
  readonly #advanced: () => void;
  readonly #bookmarks: Bookmarks = new Map();
  #lookedAt = -Infinity;

  constructor(
    env: Environment,
    book: AttemptBook,
    handlers: {
      begin: (attempt: Attempt, work: () => Promise<void>) => void;
      advanced: () => void;
    },
    ends: AbortSignal,
  ) {
    this.#env = env;
    this.#book = book;
    this.#begin = handlers.begin;
    this.#advanced = handlers.advanced;
    this.#ends = ends;
  }

  /** Takes one debt if this host is idle and it is time to look. Throws when the database is away. */
  async look(accepting: () => Promise<HostFacts['accepting']>): Promise<void> {
    const { clock, rules } = this.#env;
    const now = clock.monotonicSeconds();
    if (this.#place() === null) return;
    if (now - this.#lookedAt < rules.limits.housekeepingSeconds) return;
    this.#lookedAt = now;
    for (const debt of await this.#due()) {
      const on = this.#place(debt.debt?.on ?? null);
      if (on === null) continue;
      if (!(await accepting()).ok) return;
      if (await unlessOutage(this.#env, `the debt of run ${debt.run}`, () => this.#take(debt, on)))
        return;
    }
  }

  /** Where one could begin: on a cluster that takes debts, or here where nothing else is done. */
  #place(wanted: ExecutorName | null = null): ExecutorName | null {
    const { executor, cluster, jobs } = this.#env;
    const isTaken = jobs !== null && (wanted === 'slurm' || jobs.takes.includes('debt'));
    const onCluster = cluster?.places(this.#book.sizeOn('slurm')).free ?? 0;
    if (isTaken && onCluster > 0 && wanted !== 'local') return 'slurm';
    if (wanted === 'slurm' && jobs !== null) return null;
    return executor.startsAtOnce() && this.#book.sizeOn('local') === 0 ? 'local' : null;
  }

  /** Ends them if there is a run to be taken instead; they are due again later. */
  async giveWay(accepting: () => Promise<HostFacts['accepting']>): Promise<void> {
    if (this.#running().length === 0) return;
    const env = this.#env;
    const now = await env.store.serverTime();
    const retries = { withinSeconds: 0 };
    const asked = { includeHeld: false, retries, now };
    let facts: { fleet: FleetFacts; host: HostFacts } | null = null;
    for await (const page of candidatePages(env, asked, this.#bookmarks)) {
      if (page.length === 0) continue;
      facts ??= {
        fleet: await fleetFacts(env, now),
        host: { host: env.host, role: env.role, accepting: await accepting() },
      };
      const { fleet, host } = facts;
      if (!host.accepting.ok) return;
      for (const { parsed } of page) {
        if (claimDecision(parsed, host, { fleet, rules: env.rules, now }).kind !== 'claim')
          continue;
        if (parsed.kind !== 'run') continue;
        this.giveWayTo(parsed.run.number);
        return;
      }
    }
  }

  /** False if there is none. */
  giveWayTo(run: number): boolean {
    const running = this.#running();
    for (const runner of running) {
      runner.end({ kind: 'manager', reason: `it gave way to run ${run}` });
    }
    return running.length > 0;
  }

  #running(): Runner[] {
    return this.#book.all().filter(({ ofDebt, ending, on }) => ofDebt && !ending && on === 'local');
  }

  /** One that an earlier manager of this host has begun: it goes on. */
  adopt({ run, fence, debtor }: Omit<Held, 'on'>, files: AttemptFiles & { plan: Plan }): void {
    const on = files.plan.executor ?? 'local';
    const attempt = this.#attempt({ run, fence, debtor, on });
    this.#begin(attempt, () => attempt.advance({ kind: 'begun', files }));
  }

  async #due(): Promise<DebtDocument[]> {
    const { store, host, rules } = this.#env;
    const { offerWhenIdle, maxTries, lookBackSeconds } = rules.debt;
    const offered = await store.debts.offered(host, BATCH);
    for (const debt of offered.filter((each) => triesOf(each) >= maxTries)) {
      const reason = `tried ${counted(triesOf(debt), 'time')}: ${debt.debt?.reason ?? 'its manager ended'}`;
      await store.debts.note(debt.attempt, { offered: false, reason });
    }
    const due = offered.filter((debt) => triesOf(debt) < maxTries);
    if (due.length > 0 || !offerWhenIdle || !(await this.#nothingWaits())) return due;
    const now = await store.serverTime();
    const since = new Date(now.getTime() - lookBackSeconds * 1000);
    const open = await store.debts.open({ since, host, limit: BATCH });
    return open.filter((debt) => triesOf(debt) < maxTries);
  }

  async #nothingWaits(): Promise<boolean> {
    const { store, rules } = this.#env;
    const counts = await store.runs.queueCounts(await store.serverTime(), rules.retry.maxFailures);
    return counts.new === 0 && counts.due === 0;
  }

  async #take(debt: DebtDocument, on: ExecutorName): Promise<boolean> {
    const env = this.#env;
    const document = await this.#documentOf(debt);
    if (document === null) return false;
    const stored = readRun(document);
    const may = offerable(debtorOf(debt), debtFacts(stored), env.rules);
    if (!may.ok) {
      // It was requested and is not possible any more: the reason is written where the person can read it.
      if (debt.debt?.offered === true) {
        await env.store.debts.note(debt.attempt, { offered: false, reason: may.reason });
      }
      return false;
    }
    const parsed = checkRun(stored);
    if (parsed.kind !== 'run' || this.#book.ofRun(document._id) !== null) return false;
    const attempt = env.attempts.newId();
    const by = debt.debt?.offered === true ? {} : { by: 'idle' };
    const tries = triesOf(debt) + 1;
    await env.store.debts.note(debt.attempt, { tries, attempt, offered: true, ...by });
    const owner = { attempt, host: env.host };
    if ((await env.store.debts.claim(seenOf(document), owner)) !== 'claimed') return false;
    env.log.info(
      { event: 'debt.claimed', run: debt.run, attempt, dropped: debt.result?.dropped ?? [] },
      `making up for what run ${debt.run} lacks, try ${tries}`,
    );
    const fence = { id: document._id, ...owner };
    const runner = this.#attempt({ run: parsed.run, fence, debtor: debt.attempt, on });
    this.#begin(runner, () => runner.advance({ kind: 'claimed' }));
    return true;
  }

  /** Freed from what an earlier manager of this host had claimed and not begun. */
  async #documentOf({ run, debt }: DebtDocument): Promise<RunDocument | null> {
    const { store, host } = this.#env;
    const [document, another] = await store.debts.runs([run]);
    if (document === undefined || another !== undefined) return null;
    const debtAttempt = readRun(document).own.debt?.attempt ?? null;
    if (debtAttempt === null || debtAttempt !== debt?.attempt || this.#book.has(debtAttempt)) {
      return document;
    }
    await store.debts.giveBack({ id: document._id, attempt: debtAttempt, host });
    return store.debts.run(document._id);
  }

  #attempt({ run, fence, debtor, on }: Held): Attempt {
    const hooks = { onPhase: this.#advanced, managerEnds: this.#ends };
    const policyOf = (life: Life) => new DebtPolicy(this.#env, { run, fence, debtor, on }, life);
    return new Attempt(this.#env, { fence, on, policyOf }, hooks);
  }
}

function triesOf({ debt }: DebtDocument): number {
  return debt?.tries ?? 0;
}
