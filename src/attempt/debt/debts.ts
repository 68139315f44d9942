import type { AttemptFiles } from '../files/attempt-directory.ts';
import type { Plan } from '../attempt.pure.ts';
import { claimDecision, type FleetFacts, type HostFacts } from '../../claim/claim.pure.ts';
import { debtFacts, debtorOf, offerable } from './debt.pure.ts';
import { checkRun, readRun, type Run } from '../../run/run.pure.ts';
import type { Fence } from '../../run/run.port.ts';
import type { Life } from '../attempt-policy.ts';
import { seenOf } from '../../run/stored-runs.ts';
import type { DebtDocument } from './debt.port.ts';
import type { RunDocument } from '../../run/run-document.port.ts';
import type { AttemptBook } from '../attempt-book.ts';
import { fleetFacts } from '../../claim/fleet-facts.ts';
import { candidatePages, type Bookmarks } from '../../claim/candidates.ts';
import { clearAdded } from './debt-folders.ts';
import { closeAttempt } from '../close-attempt.ts';
import { DebtPolicy } from './debt-policy.ts';
import { Attempt } from '../attempt-machine.ts';
import type { Environment } from '../../ports/environment.ts';
import { endProcesses } from '../process/orphans.ts';
import { unlessOutage, untilWritten } from '../../ports/persist.ts';
import type { Runner } from '../runner.ts';

/** Debts looked at in one turn. */
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
  readonly #changed: () => void;
  readonly #bookmarks: Bookmarks = new Map();
  #lookedAt = -Infinity;

  constructor(
    env: Environment,
    book: AttemptBook,
    handlers: {
      begin: (attempt: Attempt, work: () => Promise<void>) => void;
      changed: () => void;
    },
    ends: AbortSignal,
  ) {
    this.#env = env;
    this.#book = book;
    this.#begin = handlers.begin;
    this.#changed = handlers.changed;
    this.#ends = ends;
  }

  /** Takes one debt if this host is idle and it is time to look. Throws when the database is away. */
  async look(accepting: () => Promise<HostFacts['accepting']>): Promise<void> {
    const { clock, rules, executor } = this.#env;
    const now = clock.monotonicSeconds();
    if (!executor.startsAtOnce()) return;
    if (this.#book.size > 0 || now - this.#lookedAt < rules.limits.cleanUpSeconds) return;
    this.#lookedAt = now;
    for (const debt of await this.#due()) {
      if (!(await accepting()).ok) return;
      if (await unlessOutage(this.#env, `the debt of run ${debt.run}`, () => this.#take(debt)))
        return;
    }
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
        if (claimDecision(parsed, host, fleet, env.rules, now).kind !== 'claim') continue;
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
    return this.#book.all().filter(({ ofDebt, ending }) => ofDebt && !ending);
  }

  /** One that an earlier manager of this host has begun: it goes on. */
  adopt(document: RunDocument, files: AttemptFiles & { plan: Plan }): boolean {
    const stored = readRun(document);
    const parsed = checkRun(stored);
    const facts = debtFacts(stored);
    if (parsed.kind !== 'run' || facts.lastAttempt === null) return false;
    const { attempt } = files.plan;
    if (facts.debtAttempt !== attempt || facts.state !== 'done') return false;
    if (facts.host !== this.#env.host) return false;
    const fence = { id: document._id, attempt, host: this.#env.host };
    const runner = this.#attempt(parsed.run, fence, facts.lastAttempt);
    this.#begin(runner, () => runner.advance({ kind: 'begun', files }));
    return true;
  }

  async #due(): Promise<DebtDocument[]> {
    const { store, host, rules } = this.#env;
    const { offerWhenIdle, maxTries, lookBackSeconds } = rules.debt;
    const offered = await store.debts.offered(host, BATCH);
    for (const debt of offered.filter((each) => triesOf(each) >= maxTries)) {
      const reason = `tried ${triesOf(debt)} times: ${debt.debt?.reason ?? 'its manager ended'}`;
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

  async #take(debt: DebtDocument): Promise<boolean> {
    const env = this.#env;
    const document = await this.#documentOf(debt);
    if (document === null) return false;
    const stored = readRun(document);
    const may = offerable(debtorOf(debt), debtFacts(stored), env.rules);
    if (!may.ok) {
      // Asked for, and not possible any more: whoever asked can read why.
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
    const runner = this.#attempt(parsed.run, { id: document._id, ...owner }, debt.attempt);
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

  #attempt(run: Run, fence: Fence, debtor: string): Attempt {
    const hooks = { onPhase: this.#changed, managerEnds: this.#ends };
    const policyOf = (life: Life) => new DebtPolicy(this.#env, run, fence, debtor, life);
    return new Attempt(this.#env, fence, policyOf, hooks);
  }
}

function triesOf({ debt }: DebtDocument): number {
  return debt?.tries ?? 0;
}

/**
 * An attempt at a debt that is no longer this host's, or was never more than claimed: its processes
 * end, and what it added goes, unless the run lists it or is being processed here anew.
 */
export async function cleanUpDebt(
  env: Environment,
  files: AttemptFiles & { plan: Plan },
  documents: readonly RunDocument[],
  signal: AbortSignal,
): Promise<void> {
  const { plan } = files;
  await endProcesses(env, files.started, files.id);
  const facts = documents.map((document) => debtFacts(readRun(document)));
  const isTakenHere = facts.some(
    ({ state, host, debtAttempt }) =>
      host === env.host &&
      (state === 'considering' ||
        state === 'busy' ||
        (debtAttempt ?? plan.attempt) !== plan.attempt),
  );
  const answer = isTakenHere ? null : await clearAdded(env, plan, 'take_back', signal);
  const removed = answer?.removed ?? [];
  await endClaims(env, documents, plan.attempt, signal);
  for (const { debtPaid, lastAttempt } of facts) {
    if (debtPaid !== plan.attempt || lastAttempt === null) continue;
    await untilWritten(env, 'a debt', signal, () =>
      env.store.debts.note(lastAttempt, { paid: true, offered: false, reason: null }),
    );
  }
  if (signal.aborted) return;
  await closeAttempt(env, plan);
  env.log.info(
    { event: 'debt.cleaned', run: plan.run, attempt: plan.attempt, removed: removed.length },
    `an earlier attempt at what run ${plan.run} lacks is cleaned up: ${removed.length} folders removed`,
  );
}

/** Gives back what an attempt has claimed and will not make. */
async function endClaims(
  env: Environment,
  documents: readonly RunDocument[],
  attempt: string,
  signal: AbortSignal,
): Promise<void> {
  for (const document of documents) {
    await untilWritten(env, 'a debt', signal, async () => {
      await env.store.debts.giveBack({ id: document._id, attempt, host: env.host });
      return true;
    });
  }
}
