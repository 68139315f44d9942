import { basename } from 'node:path';

import type { Plan } from '../attempt/attempt.pure.ts';
import type { AttemptBook } from '../attempt/attempt-book.ts';
import type { AttemptKind } from '../attempt/attempt-kind.ts';
import { Attempt } from '../attempt/attempt-machine.ts';
import { DEBT_KIND } from '../attempt/debt/debt-kind.ts';
import { type AttemptFiles, isAttemptId } from '../attempt/files/attempt-directory.ts';
import { foundIn } from '../attempt/found-attempt.pure.ts';
import { RUN_KIND } from '../attempt/run-kind.ts';
import { isAsItsAttemptLeftIt } from '../claim/claimed-run.pure.ts';
import { unlessDiskTrouble } from '../ports/disk-trouble.ts';
import type { Environment } from '../ports/environment.ts';
import { tellDaq } from '../ports/notify.ts';
import { unlessRefused, untilAnswered } from '../ports/persist.ts';
import { endHistory } from '../retry/attempt-history.ts';
import { endedUnseen } from '../retry/failure.ts';
import type { Fence } from '../run/run.port.ts';
import { readRun, type Run } from '../run/run.pure.ts';
import type { RunDocument } from '../run/run-document.port.ts';

/** What is kept of concluded attempts: their logs are what a person wants to read next week. */
const RETENTION = { keep: 500, maxBytes: 2e9, maxLogBytes: 5e6 };

/** What an attempt of an earlier manager still has. */
export interface Adopted {
  run: Run;
  fence: Fence;
  /** Of a debt, the attempt that has left it; null: it has the run itself. */
  debtor: string | null;
}

export interface RecoveryHandlers {
  /** The attempt is still this host's: go on with it. */
  adopt: (adopted: Adopted, files: AttemptFiles & { plan: Plan }) => void;
}

/**
 * Goes on with what an earlier manager of this host has left: attempts on disk that are not
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

/** What only a start can know to have no attempt: runs claimed by this host, open histories. */
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
  const what = `search for cut removals below ${env.stagingDirectory}`;
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
  const documents = plan === null ? [] : await documentsOf(env, plan, signal);
  if (documents === null) return;
  if (plan !== null && goesOn(env, { ...files, plan }, documents, handlers)) return;
  const of = { attempt: files.id, kind: plan?.keep == null ? RUN_KIND : DEBT_KIND };
  await notUnderWay(env, of, signal).advance({ kind: 'found_dead', files, documents });
}

/** False if its run is not its own any more. One that is left alone for now stays as it is. */
function goesOn(
  env: Environment,
  files: AttemptFiles & { plan: Plan },
  documents: readonly RunDocument[],
  handlers: RecoveryHandlers,
): boolean {
  const { run: number, attempt } = files.plan;
  for (const document of documents) {
    const found = foundIn(readRun(document), files.plan, env.host);
    if (found.kind === 'dead') continue;
    const { run, debtor } = found;
    if (debtor === null && env.left.isLeft(document._id)) return true;
    handlers.adopt({ run, fence: { id: document._id, attempt, host: env.host }, debtor }, files);
    const message = `run ${number} goes on: taken over from an earlier manager of this host`;
    if (debtor === null) {
      env.log.info({ event: 'attempt.adopted', run: number, attempt }, message);
    }
    return true;
  }
  return false;
}

function documentsOf(
  env: Environment,
  { run }: Plan,
  signal: AbortSignal,
): Promise<RunDocument[] | null> {
  return untilAnswered(env, `run ${run}`, signal, () => env.store.runs.byNumber(run));
}

/** Runs claimed by this host that no attempt of it works on: back to the queue, not counted. */
async function endUnbegun(env: Environment, book: AttemptBook, signal: AbortSignal): Promise<void> {
  const own = await untilAnswered(env, 'own runs', signal, () => env.store.runs.ownRuns(env.host));
  for (const document of own ?? []) {
    const stored = readRun(document);
    const { attempt: id } = stored.bootstrax;
    // Without an attempt id it is the reference's: it goes stale like any foreign run.
    if (id === null || book.has(id)) continue;
    // Nor is it ours if somebody has gone on with it under this host's name.
    if (!isAsItsAttemptLeftIt(stored)) continue;
    const attempt = notUnderWay(env, { attempt: id, kind: RUN_KIND }, signal);
    await attempt.advance({ kind: 'found_claim', document });
  }
}

/** One that this manager only brings to its end. */
function notUnderWay(
  env: Environment,
  of: { attempt: string; kind: AttemptKind },
  signal: AbortSignal,
): Attempt {
  return new Attempt(env, of, { onPhase: () => undefined, managerEnds: signal });
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
    await endHistory(env, attempt, { outcome: endedUnseen(reason, { dropped }) }, signal);
  }
}
