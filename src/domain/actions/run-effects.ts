import { debtFacts, debtorOf, offerable } from '../debt.ts';
import { parseRun, type BootstraxFields } from '../run.ts';
import type { Rules } from '../rules.ts';
import type { ActionKind } from './kinds.ts';
import { isHeld } from './seen.ts';

/** What people ask of a run. */
export type RunActionKind = Extract<
  ActionKind,
  'retry' | 'hold' | 'release' | 'abandon' | 'reprocess' | 'fail'
>;

/** How it is carried out. */
export type RunStep =
  | { kind: 'nothing' }
  | { kind: 'hold' }
  | { kind: 'release' }
  | { kind: 'abandon' }
  | { kind: 'fail'; failures: number }
  /** Due now, with so many counted failures. */
  | { kind: 'retry'; failures: number }
  /** What the attempt left out is to be made by its host. */
  | { kind: 'offer'; attempt: string };

export type RunEffect =
  /** `effect`: what will happen; `done`: what has been done. One sentence each. */
  | { possible: true; step: RunStep; effect: string; done: string }
  /** `why`: without a full stop. */
  | { possible: false; why: string };

/** The done attempt that left a debt, from the history; null: there is none, or it is not known. */
export interface DebtorHistory {
  attempt: string;
  host: string;
  plan: Record<string, unknown> | null;
  result: { dropped: readonly string[] } | null;
  debt?: { paid?: boolean };
}

interface Facts {
  name: string;
  document: Readonly<Record<string, unknown>>;
  fields: BootstraxFields;
  held: boolean;
  hasLiveData: boolean;
  rules: Rules;
}

/** What an action would do to a run as its document shows it. */
export function runEffect(
  kind: RunActionKind,
  document: Readonly<Record<string, unknown>>,
  debtor: DebtorHistory | null,
  rules: Rules,
  { fromStart = false }: { fromStart?: boolean } = {},
): RunEffect {
  const parsed = parseRun(document);
  const { number, bootstrax } = parsed.kind === 'run' ? parsed.run : parsed.malformed;
  const facts: Facts = {
    name: number === null ? 'The run' : `Run ${number}`,
    document,
    fields: bootstrax,
    held: isHeld(document),
    hasLiveData: debtFacts(document).data.some(({ type }) => type === 'live'),
    rules,
  };
  switch (kind) {
    case 'hold':
      return hold(facts);
    case 'release':
      return release(facts);
    case 'abandon':
      return abandon(facts);
    case 'fail':
      return fail(facts);
    case 'retry':
      return again(facts, fromStart);
    case 'reprocess':
      return reprocess(facts, debtor);
  }
}

const no = (why: string): RunEffect => ({ possible: false, why });

const isOwned = ({ state }: BootstraxFields): boolean =>
  state === 'considering' || state === 'busy';

function hold({ name, fields, held, rules }: Facts): RunEffect {
  const tag = rules.claim.holdTag;
  const done = `${name} is held: it carries the tag ${tag}.`;
  if (held) return { possible: true, step: { kind: 'nothing' }, effect: `It is held.`, done };
  const goesOn = isOwned(fields) ? ` The attempt on ${fields.host ?? 'its host'} goes on.` : '';
  return {
    possible: true,
    step: { kind: 'hold' },
    effect: `It gets the tag ${tag}: no host takes it until it is released.${goesOn}`,
    done,
  };
}

function release({ name, held }: Facts): RunEffect {
  const done = `${name} is not held.`;
  return held
    ? {
        possible: true,
        step: { kind: 'release' },
        effect: 'Hosts may take it again.',
        done,
      }
    : { possible: true, step: { kind: 'nothing' }, effect: 'It is not held.', done };
}

function abandon({ name, fields }: Facts): RunEffect {
  if (fields.state === 'abandoned') {
    const effect = 'It is abandoned.';
    return { possible: true, step: { kind: 'nothing' }, effect, done: `${name} is abandoned.` };
  }
  const ends = isOwned(fields)
    ? `${fields.host ?? 'Its host'} ends its attempt within 10 s; the run`
    : 'It';
  return {
    possible: true,
    step: { kind: 'abandon' },
    effect: `${ends} is never processed, and others may delete its data.`,
    done: `${name} is abandoned.`,
  };
}

function fail({ fields, name, rules }: Facts): RunEffect {
  const failures = fields.failures + 1;
  const ends = isOwned(fields) ? `${fields.host ?? 'Its host'} ends its attempt. ` : '';
  const isLast = failures >= rules.retry.maxFailures;
  return {
    possible: true,
    step: { kind: 'fail', failures: fields.failures },
    effect: isLast
      ? `${ends}It counts ${failures} failures and is given up.`
      : `${ends}It counts ${failures} failures and is tried again later.`,
    done: isLast
      ? `${name} has failed ${failures} times and is given up.`
      : `${name} has failed (${failures}); it is tried again.`,
  };
}

function again({ name, fields, held, hasLiveData, rules }: Facts, fromStart: boolean): RunEffect {
  const { state, failures } = fields;
  const { maxFailures } = rules.retry;
  const run = name.replace(/^Run /, 'run ').replace(/^The /, 'the ');
  const number = run.replace(/^run /, '');
  if (isOwned(fields)) {
    return no(
      `${run} is being processed (${state ?? ''}): bootstrax fail ${number} ends that first`,
    );
  }
  if (state === null) return no(`${run} is new: it needs no retry`);
  if (!fromStart && failures >= maxFailures) {
    return no(
      `${run} has failed ${failures} times, and is given up at ${maxFailures}: use --from-start, or reprocess`,
    );
  }
  if ((state === 'done' || state === 'abandoned') && !hasLiveData) {
    return no(`${run} is ${state} and its live data is gone: it cannot be made again`);
  }
  const kept = fromStart ? 0 : failures;
  const waits = held ? ' once it is released' : ' now';
  const anew = state === 'done' ? ' What it has is made anew.' : '';
  return {
    possible: true,
    step: { kind: 'retry', failures: kept },
    effect: fromStart
      ? `It is due${waits}, with all targets; its ${failures} failures are forgotten.${anew}`
      : `It is due${waits}; it counts ${kept} failures.${anew}`,
    done: `${name} is due now; it counts ${kept} failed attempts.`,
  };
}

function reprocess(facts: Facts, debtor: DebtorHistory | null): RunEffect {
  const { document, rules, name } = facts;
  const dropped = debtor?.result?.dropped ?? [];
  const isDebt = debtor !== null && dropped.length > 0 && debtor.debt?.paid !== true;
  if (facts.fields.state !== 'done' || !isDebt) return again(facts, true);
  const may = offerable(debtorOf(debtor), debtFacts(document), rules);
  if (may.ok) {
    return {
      possible: true,
      step: { kind: 'offer', attempt: debtor.attempt },
      effect: `It stays done; ${debtor.host} makes what it lacks when idle: ${dropped.join(', ')}.`,
      done: `${name} is offered: ${debtor.host} makes what it lacks when idle.`,
    };
  }
  const anew = again(facts, true);
  if (!anew.possible) return no(`${may.reason}; ${anew.why}`);
  return {
    ...anew,
    effect: `What it lacks cannot be added (${may.reason}). It is processed anew from its live data.`,
  };
}
