import type { Command } from 'commander';

import type { DebtDocument } from '../../attempt/debt/debt.port.ts';
import {
  debtFacts,
  debtorOf,
  madeOf,
  offerable,
  sourceOfDebt,
} from '../../attempt/debt/debt.pure.ts';
import type { Settings } from '../../infra/config/entries.ts';
import type { Rules } from '../../infra/config/rules.pure.ts';
import { counted } from '../../infra/values/counted.pure.ts';
import { utcToTheSecond } from '../../infra/values/utc.pure.ts';
import type { Store } from '../../ports/store.ts';
import { storedCauseText } from '../../retry/stored-cause.pure.ts';
import { readRun, type StoredRun } from '../../run/run.pure.ts';
import { askOf, toolsOf } from '../act/act-by-command.ts';
import { query } from '../framework/answering.ts';
import { table } from '../framework/output.ts';
import { runNumber } from '../framework/run-number.ts';
import { days } from '../framework/spans.ts';

const HOURS_PER_DAY = 24;
const MOST_DEBTS = 500;
const ATTEMPTS_READ = 50;

/** A done run that ended with fewer targets than wanted. */
interface Debt {
  run: number;
  mode: string | null;
  host: string;
  /** ISO 8601, UTC: when it was done. */
  done: string;
  wanted: string[];
  got: string[];
  dropped: readonly string[];
  /** What made the ladder go down. */
  why: string | null;
  /** From what the missing types could be made. */
  data: 'raw data' | 'live data' | 'none';
  /** `open`: waits for somebody to offer it. */
  state: 'open' | 'offered' | 'being made';
  by: string | null;
  tries: number;
  /** Why the last try came to nothing. */
  reason: string | null;
  offerable: boolean;
  /** Why it cannot be offered. */
  why_not: string | null;
}

/** `bootstrax debt`: what done runs lack; `offer` has it made after all. */
export function addDebt(program: Command): void {
  const debt = query(program, {
    name: 'debt',
    about: 'done runs with fewer targets than wanted: what they lack, why, and from what',
    takes: (command) =>
      command.option('--days <number>', 'done within this number of days', days, 30),
    json: 'one object: {since, debts}',
    read: async ({ store, settings }, options: { days: number }) => {
      const now = await store.serverTime();
      const since = new Date(now.getTime() - options.days * HOURS_PER_DAY * 3_600_000);
      return { since, debts: await listDebts(store, settings.rules, since) };
    },
    draw: ({ debts }, options) =>
      debts.length === 0
        ? `No run of the last ${counted(options.days, 'day')} lacks anything.`
        : draw(debts),
  });
  query(debt, {
    name: 'offer',
    about: 'have what these runs lack made by the host that has their data; they stay done',
    takes: (command) =>
      command
        .argument('<runs...>', 'run numbers', (text, before: number[] | undefined) => [
          ...(before ?? []),
          runNumber(text),
        ])
        .option('--reason <text>', 'for those who read it later'),
    json: 'one object: {offered: [..], refused: [{run, why}]}',
    read: async ({ store, settings }, { reason }: { reason?: string }, runs: number[]) => {
      const answers = [];
      for (const run of new Set(runs)) {
        answers.push(await offer(store, settings, run, reason));
      }
      return {
        offered: answers.filter(({ why }) => why === null).map(({ run }) => run),
        refused: answers.filter(({ why }) => why !== null),
      };
    },
    draw: ({ offered, refused }) =>
      [
        ...(offered.length === 0
          ? []
          : [`Offered: ${offered.join(', ')}. Their hosts make what is missing when idle.`]),
        ...refused.map(({ run, why }) => `Run ${run}: ${why ?? ''}.`),
      ].join('\n'),
    isProblem: ({ refused }) => refused.length > 0,
  });
}

async function listDebts(store: Store, rules: Rules, since: Date): Promise<Debt[]> {
  const found = await store.debts.open({ since, limit: MOST_DEBTS });
  const runs = (await store.debts.runs([...new Set(found.map(({ run }) => run))])).map(readRun);
  const debts: Debt[] = [];
  for (const debtor of found) {
    const stored = runs.find((each) => isDebtOf(each, debtor));
    if (stored !== undefined) debts.push(await describe(store, rules, debtor, stored));
  }
  return debts;
}

/** Not any more once the run has been processed anew. */
function isDebtOf({ number, bootstrax, own }: StoredRun, debt: DebtDocument): boolean {
  const isDone = bootstrax.state === 'done' && own.lastAttempt === debt.attempt;
  return isDone && number === debt.run;
}

async function describe(
  store: Store,
  rules: Rules,
  document: DebtDocument,
  stored: StoredRun,
): Promise<Debt> {
  const { run, mode, host, ended, plan, result } = document;
  const dropped = result?.dropped ?? [];
  const debtor = debtorOf(document);
  const facts = debtFacts(stored);
  const may = offerable(debtor, facts, rules);
  const { by, tries, reason, offered } = { ...NEVER_OFFERED, ...document.debt };
  const ownState = offered ? 'offered' : 'open';
  return {
    ...{ run, mode, host, done: ended?.toISOString() ?? '', dropped },
    ...madeOf(plan, dropped),
    why: await whyDropped(store, run),
    data: sourceOfDebt(debtor, facts, rules),
    state: facts.debtAttempt !== null ? 'being made' : ownState,
    ...{ by, tries, reason },
    offerable: may.ok,
    why_not: may.ok ? null : may.reason,
  };
}

const NEVER_OFFERED = { offered: false, by: null, tries: 0, reason: null };

/** By the failure after which less was wanted. */
async function whyDropped(store: Store, run: number): Promise<string | null> {
  const history = await store.attempts.ofRun(run, ATTEMPTS_READ);
  const lastCounted = history.find((attempt) => attempt.result?.counted === true)?.result;
  const why = [storedCauseText(lastCounted ?? {}), lastCounted?.reason?.split('\n')[0]];
  return why.filter((part) => part != null).join(': ') || null;
}

/** What a done run lacks; a text says why there is nothing to offer. */
async function debtOfRun(
  store: Store,
  run: number,
): Promise<{ debtor: DebtDocument; facts: ReturnType<typeof debtFacts> } | string> {
  const [document, another] = await store.debts.runs([run]);
  if (document === undefined) return 'there is no such run';
  if (another !== undefined) return 'several documents have this number';
  const facts = debtFacts(readRun(document));
  const { state, lastAttempt } = facts;
  if (state !== 'done') return `it is ${state ?? 'new'}: only what done runs lack is offered`;
  const attempt = lastAttempt === null ? null : await store.attempts.get(lastAttempt);
  if (attempt === null) return 'it is not known what it lacks: no attempt of ours made it';
  const debtor = attempt as DebtDocument;
  const lacks = debtor.debt?.paid !== true && (debtor.result?.dropped ?? []).length > 0;
  return lacks ? { debtor, facts } : 'it lacks nothing';
}

async function offer(
  store: Store,
  settings: Settings,
  run: number,
  reason = '',
): Promise<{ run: number; why: string | null }> {
  const no = (why: string) => ({ run, why });
  const owed = await debtOfRun(store, run);
  if (typeof owed === 'string') return no(owed);
  const { readRunTarget } = await import('../../features/actions/run-actions.ts');
  const tools = toolsOf(store, settings);
  const found = await readRunTarget(tools, 'reprocess', { kind: 'run', run });
  if (typeof found === 'string') return no(found);
  // What cannot be added is not made anew unless somebody asks for just that.
  if (!found.effectOf.possible || found.effectOf.step.kind !== 'offer') {
    const may = offerable(debtorOf(owed.debtor), owed.facts, settings.rules);
    return no(may.ok ? found.effect : may.reason);
  }
  const { act } = await import('../../features/actions/act.ts');
  const call = { kind: 'reprocess', target: { kind: 'run', run }, words: [reason] } as const;
  const { action, message } = await act(tools, { ...askOf(call), seen: found.seen });
  return action.state === 'refused' ? no(message) : { run, why: null };
}

function draw(debts: readonly Debt[]): string {
  return table(
    ['run', 'mode', 'done (UTC)', 'host', 'lacks', 'why', 'from', 'state'],
    debts.map((debt) => [
      String(debt.run),
      debt.mode ?? '',
      debt.done === '' ? '' : utcToTheSecond(new Date(debt.done)),
      debt.host,
      debt.dropped.join(' '),
      debt.why?.slice(0, 80) ?? '',
      debt.data,
      stateText(debt),
    ]),
  );
}

function stateText({ state, by, tries, reason, why_not: whyNot }: Debt): string {
  const tried =
    tries === 0 ? '' : `, tried ${counted(tries, 'time')}${reason === null ? '' : `: ${reason}`}`;
  if (state !== 'open') return `${state}${by === null ? '' : ` (${by})`}${tried}`;
  return whyNot === null ? `can be offered${tried}` : `cannot be offered: ${whyNot}${tried}`;
}
