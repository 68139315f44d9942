import { basename } from 'node:path';

import { isAttemptId, type AttemptFiles } from '../attempt/files/attempt-directory.ts';
import type { Plan } from '../attempt/attempt.pure.ts';
import { checkRun, readRun, type ParsedRun, type Run } from '../run/run.pure.ts';
import { reasonText } from '../attempt/outcome.pure.ts';
import { isAsItsAttemptLeftIt } from '../claim/claimed-run.pure.ts';
import { runNow } from '../attempt/files/ownership.pure.ts';
import { idText } from '../run/document-id.ts';
import { seenOf } from '../run/stored-runs.ts';
import type { Conclusion, Fence } from '../run/run.port.ts';
import type { RunDocument } from '../run/run-document.port.ts';
import type { AttemptBook } from '../attempt/attempt-book.ts';
import { closeAttempt } from '../attempt/close-attempt.ts';
import { concludeAsFits } from '../attempt/conclude-run.ts';
import { cleanUpDebt } from '../attempt/debt/debts.ts';
import { takeBackMade } from '../attempt/superseded-attempt.ts';
import { publishedLocation } from '../attempt/files/place.ts';
import { bringBackReplaced } from '../attempt/publication.ts';
import { removeReplaced, withoutReplaced } from '../attempt/replaced-products.ts';
import { requestDeletion } from '../attempt/request-deletion.ts';
import { unlessDiskTrouble } from '../ports/disk-trouble.ts';
import { tellDaq } from '../ports/notify.ts';
import type { Environment } from '../ports/environment.ts';
import { concludedFailure, endedUnseen, malformedText } from '../retry/failure.ts';
import { endHistory } from '../retry/attempt-history.ts';
import { endProcesses, listedHere, listedOn } from '../attempt/process/orphans.ts';
import { aboutOneRun, unlessRefused, untilAnswered } from '../ports/persist.ts';
import {
  removeProducts,
  takingBack,
  withdrawEntries,
  withoutFolder,
  type Removal,
} from '../attempt/files/removal.ts';
import { placeOfRemover } from '../attempt/files/trash.ts';

/** What is kept of concluded attempts: their logs are what a person wants to read next week. */
const RETENTION = { keep: 500, maxBytes: 2e9, maxLogBytes: 5e6 };

export interface RecoveryHandlers {
  /** The same for one that makes up for what a done run lacks; false if it is not this host's. */
  adoptDebt: (document: RunDocument, files: AttemptFiles & { plan: Plan }) => boolean;
  /** The attempt is still this host's: go on with it. */
  adopt: (run: Run, document: RunDocument, files: AttemptFiles & { plan: Plan }) => void;
}

/**
 * Brings order into what an earlier manager of this host left behind: attempts on disk that are not
 * concluded. At start before any work, and again from time to time. Safe to repeat.
 */
export async function recoverAttempts(
  env: Environment,
  book: AttemptBook,
  handlers: RecoveryHandlers,
  signal: AbortSignal,
): Promise<void> {
  for (const id of await env.attempts.listOpen()) {
    if (book.has(id) || signal.aborted) continue;
    const files = await env.attempts.read(id);
    if (files === null || files.concluded) continue;
    await unlessDiskTrouble(env, `clean up after attempt ${id}`, () =>
      unlessRefused(env, `attempt ${id}`, () => recoverAttempt(env, files, handlers, signal)),
    );
  }
}

/** What only a start can know to be left behind: runs claimed by this host, open histories. */
export async function recoverClaims(
  env: Environment,
  book: AttemptBook,
  signal: AbortSignal,
): Promise<void> {
  await endUnbegun(env, book, signal);
  await closeHistory(env, book, signal);
}

/**
 * What removals of this host had taken out of output folders when they were cut: at start, before
 * anything is removed anew.
 */
export async function recoverTrash(env: Environment): Promise<void> {
  const what = `look for cut removals below ${env.stagingDirectory}`;
  await unlessDiskTrouble(env, what, async () => {
    for (const { place, host } of await env.products.trashBelow(env.stagingDirectory)) {
      if (host !== env.host && !(await isOfThisHost(env, place))) continue;
      const stays = await env.products.tidyTrash(place);
      if (stays.length === 0) continue;
      const message = `folders were taken out of the output folder by mistake, and cannot get their names again, which are taken: ${stays.join(', ')}. Find out whose they are, then move or remove them`;
      env.log.error({ event: 'trash.stays', paths: stays }, message);
      await tellDaq(env, 'error', message);
    }
  });
}

/** Its host has another name now, or the trash does not say whose it is. */
async function isOfThisHost(env: Environment, place: string): Promise<boolean> {
  const id = basename(place);
  return isAttemptId(id) && (await env.attempts.read(id)) !== null;
}

/** Keeps the records of concluded attempts within limits. */
export async function pruneRecords(env: Environment): Promise<void> {
  await unlessDiskTrouble(env, 'prune the records of attempts', () =>
    env.attempts.prune(RETENTION),
  );
}

async function recoverAttempt(
  env: Environment,
  files: AttemptFiles,
  handlers: RecoveryHandlers,
  signal: AbortSignal,
): Promise<void> {
  const { plan } = files;
  if (plan === null) {
    // Nothing is known of it but its processes; the run itself is found by its claim.
    await endProcesses(env, files.started, files.id);
    await env.attempts.markConcluded(files.directory);
    return;
  }
  const found = await untilAnswered(env, `run ${plan.run}`, signal, () =>
    env.store.runs.byNumber(plan.run),
  );
  if (found === null) return;
  if (plan.keep != null) {
    if (found.some((document) => handlers.adoptDebt(document, { ...files, plan }))) return;
    return cleanUpDebt(env, { ...files, plan }, found, signal);
  }
  for (const document of found) {
    const stored = readRun(document);
    const { state, attempt, host } = stored.bootstrax;
    if (attempt !== plan.attempt || host !== env.host) continue;
    if (!isAsItsAttemptLeftIt(stored)) continue;
    if (state === 'considering') {
      // Claimed, but no child was ever made: the claim is given back by itself.
      await closeAttempt(env, plan);
      return;
    }
    const parsed = checkRun(stored);
    if (state !== 'busy' || parsed.kind !== 'run') continue;
    if (env.left.isLeft(document._id)) return;
    handlers.adopt(parsed.run, document, { ...files, plan });
    env.log.info(
      { event: 'attempt.adopted', run: plan.run, attempt: plan.attempt },
      `run ${plan.run} goes on: taken over from an earlier manager of this host`,
    );
    return;
  }
  await cleanUpLostAttempt(env, files, plan, found, signal);
}

/**
 * The run is settled or somebody else's. If this attempt had concluded it as done, only the note of
 * that is missing; otherwise its processes end, and what it has listed and made goes.
 */
async function cleanUpLostAttempt(
  env: Environment,
  files: AttemptFiles,
  plan: Plan,
  documents: readonly RunDocument[],
  signal: AbortSignal,
): Promise<void> {
  await endProcesses(env, files.started, files.id);
  const announced = await env.attempts.foldersOf(files.directory);
  const published = announced.map(({ location }) => publishedLocation(plan, location));
  const begun = withoutReplaced(plan, published);
  const removal = takingBack(env, plan, begun);
  const isDone = documents.some((document) => isDoneWith(env, document, plan));
  const isKept = documents.some((document) => isKeptAside(document, plan, begun));
  if (isDone) {
    await requestDeletion(env, plan.run, plan.attempt, signal);
    if ((await removeReplaced(env, plan, signal)) === null) return;
  } else if (!isKept) {
    await correctHistory(env, plan, documents, signal);
    if (!(await bringBackReplaced(env, plan, signal))) return;
    for (const document of documents) {
      await withdrawEntries(env, removal, document, begun, signal);
    }
  }
  const isConcluded = documents.some((document) => concludedBy(document, plan));
  const isWhole = files.result?.ok === true && !isConcluded;
  const removedFolders = isKept
    ? await env.products.removePlace(removal.place).then(() => [])
    : await takeBackMade(env, { plan, known: begun, isWhole }, signal);
  if (removedFolders === null) return;
  await env.attempts.markConcluded(files.directory);
  const removed = removedFolders.length;
  env.log.info(
    { event: 'attempt.cleaned', run: plan.run, attempt: plan.attempt, removed },
    `an earlier attempt at run ${plan.run} is cleaned up: ${isDone ? 'the run is done with it' : isKept ? 'the run is set aside with what it has made' : `${removed} folders removed`}`,
  );
}

/**
 * Its success was noted and never came about: it ended before the conclusion, and others had the run
 * by then.
 */
async function correctHistory(
  env: Environment,
  plan: Plan,
  documents: readonly RunDocument[],
  signal: AbortSignal,
): Promise<void> {
  if (documents.some((document) => concludedBy(document, plan))) return;
  const read = await untilAnswered(env, `attempt ${plan.attempt}`, signal, async () => ({
    history: await env.store.attempts.get(plan.attempt),
  }));
  const noted = read?.history?.result;
  if (noted?.outcome !== 'done') return;
  const reason = 'the run was taken over or settled by others';
  const outcome = { ...noted, outcome: 'superseded', counted: false, reason } as const;
  await endHistory(env, plan.attempt, outcome, {}, signal);
}

/** This attempt has set the run aside, and what it has made is listed. */
function isKeptAside(document: RunDocument, plan: Plan, begun: readonly string[]): boolean {
  const { outcome, host, state } = readRun(document).bootstrax;
  if (state !== 'failed' || outcome !== 'set_aside' || host !== plan.host) return false;
  return (
    concludedBy(document, plan) && listedOn(plan.host, document).some((at) => begun.includes(at))
  );
}

function isDoneWith(env: Environment, document: RunDocument, plan: Plan): boolean {
  const { state, host, madeBy } = runNow(idText(document._id), readRun(document));
  const isDoneHere = state === 'done' && host === env.host;
  return isDoneHere && concludedBy(document, plan) && madeBy.includes(plan.attempt);
}

function concludedBy(document: RunDocument, { attempt }: Plan): boolean {
  return readRun(document).own.lastAttempt === attempt;
}

/** Runs claimed by this host that no attempt of it works on: back to the queue, not counted. */
async function endUnbegun(env: Environment, book: AttemptBook, signal: AbortSignal): Promise<void> {
  const own = await untilAnswered(env, 'own runs', signal, () => env.store.runs.ownRuns(env.host));
  for (const document of own ?? []) {
    const stored = readRun(document);
    const { number } = stored.ownership;
    const { attempt, state } = stored.bootstrax;
    // Without an attempt id it is the reference's: it goes stale like any foreign run.
    if (attempt === null || book.has(attempt)) continue;
    // Nor is it ours if somebody has gone on with it under this host's name.
    if (!isAsItsAttemptLeftIt(stored)) continue;
    const parsed = checkRun(stored);
    const begun = state === 'busy' && parsed.kind === 'run' ? parsed.run : null;
    if (begun !== null) await endProcesses(env, null, attempt);
    const { conclusion: plain, message } = unbegun(env, parsed, String(number));
    const listed = listedHere(env, document);
    const removal = begun === null ? null : unrecorded(env, begun, document, attempt, listed);
    let unregister: string[] = [];
    if (removal !== null) {
      await unlessDiskTrouble(env, `look at the folders of run ${removal.run}`, async () => {
        unregister = await withoutFolder(env, removal, listed);
      });
    }
    const conclusion = { ...plain, unregister };
    const fence: Fence = {
      ...{ id: document._id, attempt, host: env.host },
      ...(state === 'busy' ? { state } : {}),
    };
    const run = typeof number === 'number' ? number : -1;
    const concluded = await aboutOneRun(env, seenOf(document), () =>
      concludeAsFits(env, { fence, run }, conclusion, signal),
    );
    if (concluded?.answer.kind !== 'landed') continue;
    env.log.warn({ event: `run.${conclusion.kind}`, run: number, attempt }, message);
    if (removal === null) continue;
    await unlessDiskTrouble(env, `clean up after run ${removal.run}`, async () => {
      await removeProducts(env, removal, signal);
      if (isAttemptId(attempt)) await env.products.removePlace(removal.place);
    });
  }
}

/** An attempt that is known by its claim alone takes back what it has made. */
function unrecorded(
  env: Environment,
  { number, runId }: Run,
  { _id }: RunDocument,
  attempt: string,
  known: readonly string[],
): Removal {
  const { host, outputDirectory } = env;
  const document = idText(_id);
  const remover = { document, attempt, host, purpose: 'take_back', known, silent: false } as const;
  const place = placeOfRemover(env.stagingDirectory, { host, attempt, outputDirectory });
  return { run: number, runId, outputDirectory, place, remover };
}

function unbegun(
  env: Environment,
  parsed: ParsedRun,
  label: string,
): { conclusion: Conclusion; message: string } {
  if (parsed.kind === 'malformed') {
    const { problems } = parsed.malformed;
    const text = malformedText(`run ${label}`, problems);
    return {
      conclusion: { kind: 'set_aside', reason: reasonText(env.host, text, ''), problems },
      message: text,
    };
  }
  return concludedFailure(env, {
    run: parsed.run.number,
    before: parsed.run.bootstrax,
    fault: 'surroundings',
    reason:
      'it was claimed by an earlier manager of this host that had not started it, or whose record of it is lost',
    traceback: '',
  });
}

async function closeHistory(
  env: Environment,
  book: AttemptBook,
  signal: AbortSignal,
): Promise<void> {
  const open = await untilAnswered(env, 'history', signal, () =>
    env.store.attempts.unfinished(env.host),
  );
  for (const { attempt, plan } of open ?? []) {
    if (book.has(attempt)) continue;
    const dropped = Array.isArray(plan?.['dropped']) ? (plan['dropped'] as string[]) : [];
    const reason = 'the manager ended before the attempt had an outcome';
    await endHistory(env, attempt, endedUnseen(reason, { dropped }), {}, signal);
  }
}
