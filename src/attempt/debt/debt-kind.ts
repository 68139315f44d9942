import { counted } from '../../infra/values/counted.pure.ts';
import type { Environment } from '../../ports/environment.ts';
import { untilWritten } from '../../ports/persist.ts';
import { readRun } from '../../run/run.pure.ts';
import type { RunDocument } from '../../run/run-document.port.ts';
import type { Plan } from '../attempt.pure.ts';
import type { AttemptKind } from '../attempt-kind.ts';
import {
  correctHistory,
  forbidProcesses,
  nothingLeft,
  type Remains,
  type Undoing,
} from '../take-back.ts';
import { debtFacts } from './debt.pure.ts';
import { clearAdded } from './debt-folders.ts';

const UNDOING: Undoing = {
  processes: forbidProcesses,
  history: correctHistory,
  // It replaces nothing, and lists what it has made all at once or not at all.
  replaced: nothingLeft,
  entries: nothingLeft,
  monitor: nothingLeft,
  folders: async (env, { plan, documents }, signal) => {
    // Who makes the run anew removes them before it begins.
    if (plan === null || documents.some((document) => isTakenHere(env, document, plan))) return [];
    return (await clearAdded(env, plan, 'take_back', signal))?.removed ?? null;
  },
  claim: giveBack,
  place: async (env, { removal: { place }, attempt }) => {
    await env.products.removePlace(place);
    await env.attempts.markConcluded(env.attempts.directoryOf(attempt));
    return [];
  },
};

/** An attempt at what a done run lacks: the run stays done, whatever becomes of it. */
export const DEBT_KIND: AttemptKind = {
  ofDebt: true,
  undoing: UNDOING,
  concludedBy: (document, attempt) => debtFacts(readRun(document)).debtPaid === attempt,
  becameOf: (_, { attempt }, { documents }) =>
    documents.some((document) => DEBT_KIND.concludedBy(document, attempt)) ? 'done' : 'lost',
  finish: async (env, { documents, attempt }, signal) => {
    for (const document of documents) {
      const { lastAttempt } = debtFacts(readRun(document));
      if (lastAttempt === null || !DEBT_KIND.concludedBy(document, attempt)) continue;
      await untilWritten(env, 'a debt', signal, () =>
        env.store.debts.note(lastAttempt, { paid: true, offered: false, reason: null }),
      );
    }
    return !signal.aborted;
  },
  told: ({ run, attempt }, became, removed) => ({
    line: { event: 'debt.products_removed', run, attempt, removed },
    message: `an earlier attempt at what run ${run} lacks is cleaned up: ${became === 'done' ? 'the run has it now' : `${counted(removed, 'folder')} removed`}`,
  }),
};

function isTakenHere({ host }: Environment, document: RunDocument, { attempt }: Plan): boolean {
  const facts = debtFacts(readRun(document));
  if (facts.host !== host) return false;
  const isHeld = facts.state === 'considering' || facts.state === 'busy';
  return isHeld || (facts.debtAttempt ?? attempt) !== attempt;
}

/** The run is handed on as it was before the claim. */
async function giveBack(
  env: Environment,
  { ids, attempt, run }: Remains,
  signal: AbortSignal,
): Promise<readonly string[] | null> {
  for (const id of ids) {
    await untilWritten(env, `run ${run}`, signal, async () => {
      await env.store.debts.giveBack({ id, attempt, host: env.host });
      return true;
    });
  }
  return signal.aborted ? null : [];
}
