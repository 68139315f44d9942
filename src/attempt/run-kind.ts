import { isAsItsAttemptLeftIt } from '../claim/claimed-run.pure.ts';
import { counted } from '../infra/values/counted.pure.ts';
import { idText } from '../run/document-id.ts';
import { readRun } from '../run/run.pure.ts';
import type { RunDocument } from '../run/run-document.port.ts';
import type { Plan } from './attempt.pure.ts';
import type { AttemptKind, Became } from './attempt-kind.ts';
import { runNow } from './files/ownership.pure.ts';
import { removeProducts, withdrawEntries } from './files/removal.ts';
import { tidyPlace } from './finished-places.ts';
import { wipeOnlineMonitor } from './online-monitor.ts';
import { listedOn } from './process/orphans.ts';
import { bringBackReplaced, takeBackPublished } from './publication.ts';
import { removeReplaced } from './replaced-products.ts';
import { requestDeletion } from './request-deletion.ts';
import {
  correctHistory,
  forbidProcesses,
  nothingLeft,
  type Remains,
  type Undoing,
} from './take-back.ts';

const UNDOING: Undoing = {
  processes: forbidProcesses,
  history: correctHistory,
  replaced: async (env, { plan }, signal) =>
    plan === null || (await bringBackReplaced(env, plan, signal)) ? [] : null,
  entries: async (env, { removal, documents, begun }, signal) => {
    for (const document of documents) {
      await withdrawEntries(env, removal, { document, begun }, signal);
    }
    return signal.aborted ? null : [];
  },
  monitor: async (env, { ids, run, attempt, isConcluded }, signal) => {
    // Before its conclusion it has removed them.
    if (isConcluded) return [];
    for (const id of ids) {
      await wipeOnlineMonitor(env, { number: run, id, attempt }, signal);
    }
    return [];
  },
  folders: async (env, { removal, plan, isWhole }, signal) => {
    const staysWhole = plan !== null && isWhole;
    if (staysWhole && !(await takeBackPublished(env, plan, signal))) return null;
    return (await removeProducts(env, removal, signal))?.removed ?? null;
  },
  // Who has the run now has it by a claim of its own.
  claim: nothingLeft,
  place: async (env, { removal: { place }, attempt, isWhole }, signal) => {
    // What is finished is kept until the run is done elsewhere.
    if (isWhole) await tidyPlace(env, place, signal);
    else await env.products.removePlace(place);
    if (signal.aborted) return null;
    await env.attempts.markConcluded(env.attempts.directoryOf(attempt));
    return [];
  },
};

/** An attempt at a run: it has the run from its claim to its conclusion. */
export const RUN_KIND: AttemptKind = {
  ofDebt: false,
  undoing: UNDOING,
  concludedBy: (document, attempt) => readRun(document).own.lastAttempt === attempt,
  becameOf,
  finish: async (env, { plan, run, attempt }, signal) => {
    await requestDeletion(env, run, attempt, signal);
    if (signal.aborted || plan === null) return false;
    return (await removeReplaced(env, plan, signal)) !== null;
  },
  told: ({ run, attempt }, became, removed) => ({
    line: { event: 'attempt.products_removed', run, attempt, removed },
    message: `an earlier attempt at run ${run} is cleaned up: ${toldOf(became, removed)}`,
  }),
};

function becameOf(host: string, plan: Plan, { documents, begun }: Remains): Became {
  if (documents.some((document) => isUnbegun(document, plan, host))) return 'unbegun';
  if (documents.some((document) => isDoneWith(document, plan, host))) return 'done';
  return documents.some((document) => isKept(document, plan, begun)) ? 'kept' : 'lost';
}

function isUnbegun(document: RunDocument, { attempt }: Plan, host: string): boolean {
  const stored = readRun(document);
  const { bootstrax } = stored;
  const isOwn = bootstrax.attempt === attempt && bootstrax.host === host;
  return isOwn && bootstrax.state === 'considering' && isAsItsAttemptLeftIt(stored);
}

function isDoneWith(document: RunDocument, { attempt }: Plan, host: string): boolean {
  const now = runNow(idText(document._id), readRun(document));
  const isDoneHere = now.state === 'done' && now.host === host;
  return isDoneHere && RUN_KIND.concludedBy(document, attempt) && now.madeBy.includes(attempt);
}

/** This attempt has set the run aside, and what it has made is listed. */
function isKept(document: RunDocument, plan: Plan, begun: readonly string[]): boolean {
  const { outcome, host, state } = readRun(document).bootstrax;
  if (state !== 'failed' || outcome !== 'set_aside' || host !== plan.host) return false;
  const listed = listedOn(plan.host, document);
  return (
    RUN_KIND.concludedBy(document, plan.attempt) && listed.some((path) => begun.includes(path))
  );
}

function toldOf(became: Became, removed: number): string {
  switch (became) {
    case 'unbegun':
      return 'it was never begun, and the run goes back to the queue';
    case 'done':
      return 'the run is done with it';
    case 'kept':
      return 'the run is set aside with what it has made';
    case 'lost':
      return `${counted(removed, 'folder')} removed`;
  }
}
