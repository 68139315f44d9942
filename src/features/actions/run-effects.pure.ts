import { debtFacts, debtorOf, offerable } from '../../attempt/debt/debt.pure.ts';
import type { ExecutorName } from '../../executors/executor-name.pure.ts';
import type { Rules } from '../../infra/config/rules.pure.ts';
import { counted } from '../../infra/values/counted.pure.ts';
import type { Again, BootstraxFields, StoredRun } from '../../run/run.pure.ts';
import { HOLD_TAG } from '../../run/run-tags.pure.ts';
import type { RunActionKind } from './action-table.pure.ts';
import { isHeld } from './seen.pure.ts';

/** The write that carries out an action. */
export type RunStep =
  | { kind: 'nothing' }
  | { kind: 'hold' }
  | { kind: 'release' }
  | { kind: 'abandon' }
  | { kind: 'fail'; failures: number }
  /** Makes the run due now, with this number of failures. */
  | { kind: 'retry'; failures: number; again: Again }
  /** `due`: the run was set aside for its number, and is tried again at once. */
  | { kind: 'renumber'; number: number; due: boolean }
  /** Offers the dropped targets of this attempt to its host. */
  | { kind: 'offer'; attempt: string; on: ExecutorName | null };

export type RunEffect =
  /**
   * `effect`: what will happen; `done`: what has been done; one sentence each. `deletes`: data that is
   * there now is deleted.
   */
  | { possible: true; step: RunStep; effect: string; done: string; deletes?: boolean }
  /** `why`: without a full stop. */
  | { possible: false; why: string };

/** The done attempt that left a debt, from the history; null: none is known. */
export interface DebtorHistory {
  attempt: string;
  host: string;
  plan: Record<string, unknown> | null;
  result: { dropped: readonly string[] } | null;
  debt?: { paid?: boolean };
}

interface Facts {
  name: string;
  stored: StoredRun;
  fields: BootstraxFields;
  held: boolean;
  hasLiveData: boolean;
  rules: Rules;
}

/** The parameters of an action. */
export interface Asking {
  /** `retry`: all failures are forgotten. */
  fromStart?: boolean;
  /** `retry` and `fail`: a done run is a legal target. */
  evenDone?: boolean;
  /** A reason was given. */
  hasReason?: boolean;
  /** `renumber`: the new number. */
  number?: number;
  /** `reprocess`: the present products stay until the new ones are there. */
  keep?: boolean;
  /** `reprocess`: where; absent: where there is a place. */
  on?: ExecutorName;
}

/** What an action would do to a run, by its document. */
export function runEffect(
  kind: Exclude<RunActionKind, 'renumber'>,
  { stored, debtor }: { stored: StoredRun; debtor: DebtorHistory | null },
  rules: Rules,
  asking: Asking = {},
): RunEffect {
  const { number, bootstrax } = stored;
  const facts: Facts = {
    name: number === null ? 'The run' : `Run ${number}`,
    stored,
    fields: bootstrax,
    held: isHeld(stored),
    hasLiveData: stored.data.some(({ type }) => type === 'live'),
    rules,
  };
  return EFFECTS[kind](facts, asking, debtor);
}

/** `renumber` reads other documents as well: see `renumber.pure`. */
const EFFECTS: Readonly<
  Record<
    Exclude<RunActionKind, 'renumber'>,
    (facts: Facts, asking: Asking, debtor: DebtorHistory | null) => RunEffect
  >
> = {
  fail,
  abandon,
  retry,
  reprocess: (facts, asking, debtor) => reprocess(facts, debtor, asking),
  hold,
  release,
};

const no = (why: string): RunEffect => ({ possible: false, why });

const isHeldByHost = ({ state }: BootstraxFields): boolean =>
  state === 'considering' || state === 'busy';

function hold({ name, fields, held }: Facts): RunEffect {
  const done = `${name} is held: it carries the tag ${HOLD_TAG}.`;
  if (held) return { possible: true, step: { kind: 'nothing' }, effect: `It is held.`, done };
  const goesOn = isHeldByHost(fields)
    ? ` The attempt on ${fields.host ?? 'its host'} goes on.`
    : '';
  return {
    possible: true,
    step: { kind: 'hold' },
    effect: `It gets the tag ${HOLD_TAG}: no host takes it until it is released.${goesOn}`,
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
  const ends = isHeldByHost(fields)
    ? `${fields.host ?? 'Its host'} stops its attempt within 10 s; the run`
    : 'It';
  return {
    possible: true,
    step: { kind: 'abandon' },
    effect: `${ends} is never processed, and other programs may delete its data.`,
    done: `${name} is abandoned.`,
  };
}

function fail(facts: Facts, asking: Asking): RunEffect {
  const { fields, name, rules } = facts;
  const { run, number } = inWords(name);
  const refused = notMeantFor('fail', facts, asking);
  if (refused !== null) return no(refused);
  if (fields.state === 'abandoned') {
    return no(`${run} is abandoned: bootstrax retry ${number} brings it back`);
  }
  if (fields.state === 'failed' && fields.failures >= rules.retry.maxFailures) {
    return no(`${run} is given up already: bootstrax retry ${number} --from-start brings it back`);
  }
  if (fields.state === 'failed' && fields.outcome === 'set_aside') {
    return no(`${run} is set aside already: correct it, then bootstrax retry ${number}`);
  }
  const failures = fields.failures + 1;
  const ends = isHeldByHost(fields) ? `${fields.host ?? 'Its host'} stops its attempt. ` : '';
  const isLast = failures >= rules.retry.maxFailures;
  const counts = `It counts ${counted(failures, 'failure')}`;
  return {
    ...deletion(facts),
    possible: true,
    step: { kind: 'fail', failures: fields.failures },
    effect: isLast
      ? `${ends}${counts} and is given up.`
      : `${ends}${counts} and is tried again later, with the same targets.${madeAnew(facts)}`,
    done: isLast
      ? `${name} has failed ${counted(failures, 'time')} and is given up.`
      : `${name} has failed (${failures}); it is tried again.`,
  };
}

function inWords(name: string): { run: string; number: string } {
  const run = name.replace(/^Run /, 'run ').replace(/^The /, 'the ');
  return { run, number: run.replace(/^run /, '') };
}

/** Why a done run is refused: its data is good, and is deleted only on explicit request. Null: not refused. */
function notMeantFor(
  verb: 'retry' | 'fail',
  { name, fields }: Facts,
  { evenDone = false, hasReason = false }: Asking,
): string | null {
  if (fields.state !== 'done') return null;
  const { run, number } = inWords(name);
  const fits = `bootstrax reprocess ${number} makes its targets`;
  if (!evenDone) return `${run} is done, and ${verb} is not meant for done runs: ${fits}`;
  return hasReason ? null : `${run} is done: to ${verb} it all the same, give a reason. ${fits}`;
}

/** The next attempt at a done run begins with the removal of its products. */
function deletion({ fields }: Facts): { deletes?: true } {
  return fields.state === 'done' ? { deletes: true } : {};
}

/** The present products stay, and new ones are made beside them. */
function madeBeside({ fields }: Facts): string {
  return fields.state === 'done'
    ? ` Its products on ${fields.host ?? 'its host'} stay until the new ones are there, which needs twice the disk space; then they are deleted.`
    : ' Products that it lists stay until the new ones are there, which needs twice the disk space.';
}

function madeAnew({ fields }: Facts): string {
  return fields.state === 'done'
    ? ` Its products on ${fields.host ?? 'its host'} are deleted, and made again from its live data.`
    : '';
}

function retry(facts: Facts, asking: Asking): RunEffect {
  const refused = notMeantFor('retry', facts, asking);
  return refused === null ? again(facts, asking.fromStart ?? false) : no(refused);
}

function again(facts: Facts, fromStart: boolean, asked: Again = {}): RunEffect {
  const { keep, on } = asked;
  const { name, fields, held, hasLiveData, rules } = facts;
  const { state, failures } = fields;
  const { maxFailures } = rules.retry;
  const { run, number } = inWords(name);
  if (isHeldByHost(fields)) {
    return no(
      `${run} is being processed (${state ?? ''}): stop the attempt first, with bootstrax fail ${number}`,
    );
  }
  if (state === null) return no(`${run} is new: it needs no retry`);
  if (!fromStart && failures >= maxFailures) {
    return no(
      `${run} has failed ${counted(failures, 'time')}, and is given up at ${maxFailures}: use --from-start, or reprocess`,
    );
  }
  if ((state === 'done' || state === 'abandoned') && !hasLiveData) {
    return no(`${run} is ${state} and its live data is gone: it cannot be made again`);
  }
  const kept = fromStart ? 0 : failures;
  const waits = `${held ? ' once it is released' : ' now'}${whereOf(on)}`;
  const anew = keep === true ? madeBeside(facts) : madeAnew(facts);
  return {
    ...(keep === true ? {} : deletion(facts)),
    possible: true,
    step: { kind: 'retry', failures: kept, again: asked },
    effect: fromStart
      ? `It is due${waits}, with all targets; ${counted(failures, 'failure is', 'failures are')} forgotten.${anew}`
      : `It is due${waits}; it counts ${counted(kept, 'failure')}.${anew}`,
    done: `${name} is due now${whereOf(on)}; it counts ${counted(kept, 'failed attempt')}.`,
  };
}

/** Where a person wants it; empty: where there is a place. */
function whereOf(on: ExecutorName | null | undefined): string {
  if (on == null) return '';
  return on === 'slurm' ? ', on Slurm' : ', on an event builder';
}

function reprocess(facts: Facts, debtor: DebtorHistory | null, asking: Asking): RunEffect {
  const { keep = false, on = null } = asking;
  const asked: Again = { keep, on, isReprocessed: true };
  const { stored, rules, name } = facts;
  const dropped = debtor?.result?.dropped ?? [];
  const isDebt = debtor !== null && dropped.length > 0 && debtor.debt?.paid !== true;
  if (facts.fields.state !== 'done' || !isDebt) return again(facts, true, asked);
  const may = offerable(debtorOf(debtor), debtFacts(stored), rules);
  if (may.ok) {
    return {
      possible: true,
      step: { kind: 'offer', attempt: debtor.attempt, on },
      effect: `It stays done. ${debtor.host} makes the missing targets when it is idle${whereOf(on)}: ${dropped.join(', ')}.`,
      done: `${name} is offered: ${debtor.host} makes the missing targets when it is idle.`,
    };
  }
  const anew = again(facts, true, asked);
  if (!anew.possible) return no(`${may.reason}; ${anew.why}`);
  return {
    ...anew,
    effect: `The missing targets cannot be added (${may.reason}). ${anew.effect}`,
  };
}
