import type { DebtDocument } from '../../attempt/debt/debt.port.ts';
import { StoreError } from '../../infra/mongo/store-error.ts';
import type { LogPriority } from '../../ports/daq.port.ts';
import type { Store } from '../../ports/store.ts';
import { countedConclusion } from '../../retry/backoff.pure.ts';
import { idText } from '../../run/document-id.ts';
import { readRun, type StoredRun } from '../../run/run.pure.ts';
import type { RunDocument, Seen } from '../../run/run-document.port.ts';
import { runSnapshot } from '../../run/run-snapshot.pure.ts';
import { harmToOthers, type Numbered, severalText } from '../../run/same-number.pure.ts';
import { numbered } from '../../run/same-number.store.ts';
import { seenOf } from '../../run/stored-runs.ts';
import {
  type Ask,
  type Asker,
  NO_REASON,
  type RunTarget,
  type TargetState,
  type Tools,
} from './action.ts';
import { type RunActionKind, runActionRow } from './action-table.pure.ts';
import { renumberEffect } from './renumber.pure.ts';
import { type Asking, type RunEffect, runEffect, type RunStep } from './run-effects.pure.ts';
import { heldFilter, runSeen } from './seen.pure.ts';

/** A heartbeat may come between reading a run and writing to it. Tries of an action before it is refused. */
const MOST_TRIES = 5;

export interface RunTargetState extends TargetState {
  document: RunDocument;
  effectOf: RunEffect;
}

/** The state of a run for an action; a text: why there is none. */
export async function readRunTarget(
  { store, rules }: Pick<Tools, 'store' | 'rules'>,
  kind: RunActionKind,
  target: RunTarget,
  options: Asking = {},
): Promise<RunTargetState | string> {
  const documents = numbered(await store.runs.byNumber(target.run));
  const own = chosen(documents, target);
  if (typeof own === 'string') return own;
  const { document } = own;
  const others = documents.filter((each) => each !== own);
  const harm = harmToOthers(runActionRow(kind).harm, own, others);
  let effectOf: RunEffect;
  if (kind === 'renumber') {
    const { number: to = null } = options;
    const taken = to === null ? [] : numbered(await store.runs.byNumber(to));
    effectOf = renumberEffect({ own, others, from: target.run, to, taken });
  } else if (harm !== null) {
    effectOf = { possible: false, why: harm };
  } else {
    const debtor = kind === 'reprocess' ? await debtorOf(store, own.stored) : null;
    effectOf = runEffect(kind, { ...own, debtor }, rules, options);
  }
  return {
    document,
    effectOf,
    seen: runSeen(own.stored),
    before: snapshot(document),
    possible: effectOf.possible,
    effect: effectOf.possible ? effectOf.effect : effectOf.why,
    deletes: effectOf.possible && effectOf.deletes === true,
  };
}

/** The parameters of an action, as the effects take them. */
export function askingOf(ask: Partial<Ask>): Asking {
  const { fromStart, evenDone, reason, number, keep, on } = ask;
  return {
    ...(fromStart === undefined ? {} : { fromStart }),
    ...(evenDone === undefined ? {} : { evenDone }),
    ...(number === undefined ? {} : { number }),
    ...(keep === undefined ? {} : { keep }),
    ...(on === undefined ? {} : { on }),
    hasReason: reason !== undefined && reason !== NO_REASON,
  };
}

/** The run document of the target; a text: why it is not known. */
function chosen<T extends Numbered>(
  documents: readonly T[],
  { run, document: id }: RunTarget,
): T | string {
  const [first, ...others] = documents;
  if (first === undefined) return `there is no run ${run}`;
  if (id === undefined) return others.length === 0 ? first : severalText(run, documents);
  return (
    documents.find((each) => each.id === id) ?? `document ${id} does not have the number ${run}`
  );
}

async function debtorOf(store: Store, { bootstrax, own }: StoredRun): Promise<DebtDocument | null> {
  const { lastAttempt } = own;
  const isDone = bootstrax.state === 'done' && lastAttempt !== null;
  return isDone ? store.attempts.get(lastAttempt) : null;
}

export type RunAnswer =
  /** `awaits`: the attempt that is superseded, and the host that has to stop it. */
  | {
      kind: 'landed';
      message: string;
      after: Record<string, unknown> | null;
      awaits: { host: string; attempt: string } | null;
    }
  | { kind: 'changed'; message: string };

/** An action at a run that has been written down under this id. */
export interface RunAsk {
  ask: Ask;
  kind: RunActionKind;
  target: RunTarget;
  id: string;
}

/** Carries out what was found possible, if the run is still as it was seen. */
export async function carryOutOnRun(
  tools: Tools,
  { ask, kind, target, id }: RunAsk,
  first: RunTargetState,
): Promise<RunAnswer> {
  const { run: number } = target;
  let look = first;
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    const { document, effectOf } = look;
    if (!effectOf.possible) break;
    const { landed, message } = await take(tools, { ...ask, id }, document, effectOf);
    if (landed === 'landed') {
      if (effectOf.step.kind !== 'nothing') await tell(tools, ask, number, effectOf.step);
      const after = await tools.store.runs.byId(document._id);
      return {
        kind: 'landed',
        message,
        after: after === null ? null : snapshot(after),
        awaits: stoppedBy(kind, effectOf.step, document),
      };
    }
    const again = await readRunTarget(tools, kind, target, askingOf(ask));
    if (typeof again === 'string') return { kind: 'changed', message: again };
    if (again.seen !== look.seen) return { kind: 'changed', message: changedText(look, again) };
    look = again;
  }
  return {
    kind: 'changed',
    message: `run ${number} was changed by another program at the same moment; nothing was written, load the page again`,
  };
}

/** The message for a person who saw an older state. */
export function changedText(saw: Pick<TargetState, 'seen'>, is: Pick<TargetState, 'seen'>): string {
  return `it was changed meanwhile, and nothing was written; load the page again. Before: ${saw.seen}. Now: ${is.seen}`;
}

async function take(
  { store, writer, rules, random }: Tools,
  { by, reason, id }: Asker & { id: string },
  document: RunDocument,
  { step, done }: RunEffect & { possible: true },
): Promise<{ landed: 'landed' | 'changed'; message: string }> {
  const seen: Seen = { ...seenOf(document), ...heldFilter(readRun(document)) };
  switch (step.kind) {
    case 'nothing':
      return { landed: 'landed', message: done };
    case 'hold':
      return { landed: await store.runs.hold(seen, by), message: done };
    case 'release':
      return { landed: await store.runs.release(seen), message: done };
    case 'retry': {
      const { failures, again } = step;
      const asked = { ...again, action: id };
      return { landed: await store.runs.retry(seen, writer, failures, asked), message: done };
    }
    case 'renumber':
      return {
        landed: await store.runs.renumber(seen, step.number, step.due, id),
        message: done,
      };
    case 'offer':
      await store.debts.note(step.attempt, {
        ...{ offered: true, by, tries: 0, reason: null, paid: false, on: step.on },
      });
      return { landed: 'landed', message: done };
    case 'abandon': {
      // Without a reason the one of the last failure stays, as in the reference.
      const text = reason === NO_REASON ? null : `${writer}:\nabandoned by ${by}: ${reason}\n`;
      const conclusion = { kind: 'abandoned', reason: text } as const;
      return { landed: await store.runs.settle(seen, writer, conclusion, id), message: done };
    }
    case 'fail': {
      const { failures, delaySeconds } = countedConclusion(step.failures, random(), rules.retry);
      const text = `${writer}:\nfailed by ${by}: ${reason}\n`;
      const conclusion =
        delaySeconds === null
          ? ({ kind: 'given_up', reason: text, failures, asked: true } as const)
          : ({ kind: 'failed', reason: text, failures, delaySeconds, asked: true } as const);
      const when =
        delaySeconds === null ? done : done.replace(/\.$/, ` in ${Math.round(delaySeconds)} s.`);
      return { landed: await store.runs.settle(seen, writer, conclusion, id), message: when };
    }
  }
}

/** The attempt that loses its run by such an action. */
function stoppedBy(
  kind: RunActionKind,
  step: RunStep,
  document: RunDocument,
): { host: string; attempt: string } | null {
  if (step.kind === 'nothing' || runActionRow(kind).stopsAttempt !== true) return null;
  return ownerOf(readRun(document).ownership);
}

/** The attempt that holds a run in work; null: there is none, or a program that writes no attempt holds the run. */
export function ownerOf({
  state,
  host,
  attempt,
}: {
  state?: unknown;
  host?: unknown;
  attempt?: unknown;
}): { host: string; attempt: string } | null {
  if (state !== 'considering' && state !== 'busy') return null;
  return typeof host === 'string' && typeof attempt === 'string' ? { host, attempt } : null;
}

/** Reports an action in the DAQ's log. If this fails the action stays as it is. */
async function tell(
  { store, writer, rules }: Tools,
  { by, reason }: Asker,
  run: number,
  step: RunStep,
): Promise<void> {
  const entry = entryOf(step, run, `by ${by}: ${reason}`, rules.retry.maxFailures);
  if (entry === null) return;
  try {
    await store.daqLog.write({ ...entry, host: writer, run });
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
  }
}

/** What the DAQ's log says of a step; null if nothing. */
function entryOf(
  step: RunStep,
  run: number,
  byWhom: string,
  maxFailures: number,
): { priority: LogPriority; message: string } | null {
  if (step.kind === 'abandon') {
    return { priority: 'warning', message: `run ${run} is abandoned ${byWhom}` };
  }
  if (step.kind === 'renumber') {
    const message = `a document of run ${run} is run ${step.number} now, ${byWhom}`;
    return { priority: 'warning', message };
  }
  if (step.kind !== 'fail') return null;
  const isLast = step.failures + 1 >= maxFailures;
  const isFirst = step.failures === 0;
  const message = `${isFirst ? 'New' : 'Repeated'} failure on run ${run}: failed ${byWhom}`;
  if (isLast) return { priority: 'fatal', message };
  return { priority: isFirst ? 'warning' : 'info', message };
}

/** The state of a run, with the id of its document. */
export function snapshot(document: RunDocument): Record<string, unknown> {
  return { document: idText(document._id), ...runSnapshot(document) };
}
