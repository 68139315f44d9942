import { dirname, resolve } from 'node:path';

import { isAsItsAttemptLeftIt } from '../../claim/claimed-run.pure.ts';
import type { Environment } from '../../ports/environment.ts';
import { untilAnswered, untilWritten } from '../../ports/persist.ts';
import { idText } from '../../run/document-id.ts';
import { readRun } from '../../run/run.pure.ts';
import type { RunDocument } from '../../run/run-document.port.ts';
import { seenOf } from '../../run/stored-runs.ts';
import type { Plan } from '../attempt.pure.ts';
import { orphanText } from '../process/foreign-processes.pure.ts';
import { listedHere } from '../process/orphans.ts';
import type { Leftover } from './leftovers.ts';
import {
  heldBecause,
  type MayRemove,
  mayRemove,
  type Remover,
  type RunNow,
  runNow,
} from './ownership.pure.ts';
import { placeOfRemover, type Trash } from './trash.ts';

/** Whose folders are removed, and where. */
export interface Removal {
  run: number;
  runId: string;
  outputDirectory: string;
  /** The remover's own, where what is being removed goes first. */
  place: string;
  remover: Remover;
  /** Finished folders, by their final paths, that stay for now although they may go. */
  staying?: ReadonlySet<string>;
}

export interface Removed {
  removed: string[];
  /** What stays, and why. */
  left: { path: string; location: string; why: string; held: boolean }[];
}

/** A host whose attempt was taken over may still write: it is quiet for half a lease, but not for hours. */
const OTHER_HOST_QUIET_SECONDS = 60;

/**
 * Removes product folders of a run, each only if it may be by the run's documents, read now, and by
 * what it says itself: the one place where products are removed. Null if `signal` ended the waiting.
 */
export async function removeProducts(
  env: Environment,
  removal: Removal,
  signal: AbortSignal,
): Promise<Removed | null> {
  const documents = await documentsNow(env, removal.run, signal);
  if (documents === null) return null;
  const { outputDirectory, runId, place } = removal;
  const stays = await env.products.tidyTrash(place);
  const answer: Removed = { removed: [], left: stays.map(isInTrash) };
  for (const folder of await env.products.leftovers(outputDirectory, runId)) {
    const { path, location } = folder;
    if (!folder.unfinished && removal.staying?.has(location) === true) continue;
    const verdict = await verdictOn(env, folder, documents, removal);
    if (verdict.kind === 'no') {
      // Its removal was begun by mistake, or for an attempt that has it again.
      const back = folder.condemned && (await env.products.putBackCondemned(path));
      const at = back ? location : path;
      answer.left.push({ path: at, location, why: verdict.why, held: verdict.held });
      continue;
    }
    const removed = await remove(env, removal, folder, verdict.unlessHeld);
    if (removed === 'removed') answer.removed.push(path);
    else if (removed !== 'gone') answer.left.push({ location, ...removed });
  }
  return answer;
}

/**
 * Takes one finished folder out of the output folder, if it may be removed by these documents, and
 * keeps it in the trash until it is known whether what replaces it stays. False if it is still there.
 */
export async function takeAside(
  env: Environment,
  removal: Removal,
  documents: readonly RunNow[],
  location: string,
): Promise<boolean> {
  const { outputDirectory, runId } = removal;
  const there = await env.products.leftovers(outputDirectory, runId);
  const folder = there.find((each) => each.path === location);
  if (folder === undefined) return true;
  const verdict = await verdictOn(env, folder, documents, removal);
  if (verdict.kind === 'no') return false;
  const { kind } = await env.products.takeAway(trashOf(removal), runId, folder);
  return kind === 'taken' || kind === 'gone';
}

/**
 * Takes what an attempt has published and not concluded out of the output folder and into its place,
 * where it stays: only what may be removed by these documents, and says that this attempt made it.
 */
export async function takeIntoPlace(
  { products }: Pick<Environment, 'products'>,
  removal: Removal,
  documents: readonly RunNow[],
): Promise<void> {
  const { outputDirectory, runId, place, remover } = removal;
  const trash = trashOf(removal);
  // Where this was cut something may lie half way.
  await products.tidyTrash(place);
  for (const folder of await products.leftovers(outputDirectory, runId)) {
    if (!isOwn(folder.word, remover) || folder.unfinished || folder.condemned) continue;
    if (mayRemove(folder, documents, remover).kind !== 'yes') continue;
    const taken = await products.takeAway(trash, runId, folder);
    if (taken.kind !== 'taken') continue;
    if (await products.keepInPlace(trash, taken.path)) continue;
    await products.putBack(trash, taken.path);
  }
}

/** Takes a folder away, and deletes it if it is the one that may go; what stays says where and why. */
async function remove(
  env: Environment,
  removal: Removal,
  folder: Leftover,
  unlessHeld: MayBeHeld | null,
): Promise<'removed' | 'gone' | { path: string; why: string; held: boolean }> {
  const { path } = folder;
  const trash = trashOf(removal);
  const changed = { path, why: 'it is not what it was a moment ago', held: true };
  const taken = await env.products.takeAway(trash, removal.runId, folder);
  switch (taken.kind) {
    case 'gone':
      return 'gone';
    case 'changed':
      return changed;
    case 'stays':
      return isInTrash(taken.path);
    case 'taken':
      break;
  }
  // Somebody may have begun to write to it right before.
  const why = unlessHeld === null ? null : await heldNow(env, taken.path, removal, unlessHeld);
  if (why !== null) {
    const back = await env.products.putBack(trash, taken.path);
    return back ? { path, why, held: true } : isInTrash(taken.path);
  }
  return (await env.products.destroy(trash, taken.path)) ? 'removed' : changed;
}

function trashOf({ place, outputDirectory, remover }: Removal): Trash {
  return { place, outputDirectory, host: remover.host };
}

function isInTrash(path: string): Removed['left'][number] {
  const why = 'it was taken away by mistake, and its name is taken by now';
  return { path, location: path, why, held: false };
}

/**
 * What a removal would leave now, without doing it, and whether it finds any folder; null if `signal` ended
 * the waiting.
 */
export async function whatStays(
  env: Environment,
  removal: Removal,
  signal: AbortSignal,
): Promise<{ run: RunNow | null; left: Removed['left']; isEmpty: boolean } | null> {
  const documents = await documentsNow(env, removal.run, signal);
  if (documents === null) return null;
  const { outputDirectory, runId, remover } = removal;
  const left: Removed['left'] = [];
  const folders = await env.products.leftovers(outputDirectory, runId);
  for (const folder of folders) {
    const { path, location, condemned } = folder;
    const verdict = await verdictOn(env, folder, documents, removal);
    // The removal itself gives it its name again.
    if (verdict.kind === 'no' && !condemned) {
      left.push({ path, location, why: verdict.why, held: verdict.held });
    }
  }
  const run = documents.find(({ document }) => document === remover.document) ?? null;
  return { run, left, isEmpty: folders.length === 0 };
}

/**
 * Withdraws what a lost attempt has listed, before its folders go. Where somebody has the run under
 * this host's name, only what the attempt itself has made is its to withdraw.
 */
export async function withdrawEntries(
  env: Environment,
  removal: Removal,
  { document, begun }: { document: RunDocument; begun: readonly string[] },
  signal: AbortSignal,
): Promise<void> {
  const now = runNow(idText(document._id), readRun(document));
  // With its conclusion it withdrew what it had listed: the rest is of who has made the run done since.
  if (now.failed === removal.remover.attempt) return;
  if (isCalledDone(env, removal, document)) {
    return withdrawUnfinished(env, removal, document, signal);
  }
  const made = await withoutFolder(env, removal, listedHere(env, document));
  const { state, host } = now;
  const isHeldHere = host === env.host && (state === 'considering' || state === 'busy');
  const locations = isHeldHere ? made : [...new Set([...begun, ...made])];
  await untilWritten(env, `data entries of run ${removal.run}`, signal, () =>
    env.store.runs.withdrawData(document._id, env.host, locations),
  );
}

/** Somebody wrote `done` by hand while the attempt worked on it: nobody has concluded it. */
function isCalledDone(env: Environment, { remover }: Removal, document: RunDocument): boolean {
  const stored = readRun(document);
  const { state, host, attempt } = stored.bootstrax;
  return (
    state === 'done' &&
    host === env.host &&
    attempt === remover.attempt &&
    isAsItsAttemptLeftIt(stored)
  );
}

/** What a run that is called done lists finished stays, with its folder; the rest is not there. */
async function withdrawUnfinished(
  env: Environment,
  removal: Removal,
  document: RunDocument,
  signal: AbortSignal,
): Promise<void> {
  const there = await env.products.leftovers(removal.outputDirectory, removal.runId);
  const finished = there.filter(({ unfinished }) => !unfinished).map(({ location }) => location);
  const unfinished = (await withoutFolder(env, removal, listedHere(env, document))).filter(
    (location) => !finished.includes(resolve(location)),
  );
  if (unfinished.length === 0) return;
  await untilAnswered(env, `data entries of run ${removal.run}`, signal, () =>
    env.store.runs.withdrawSettled(seenOf(document), env.host, unfinished),
  );
}

/**
 * Of these entries, those that a removal leaves without a folder: their folder says that the attempt
 * made it, or nothing at all any more, or is not there.
 */
export async function withoutFolder(
  env: Environment,
  { outputDirectory, runId, remover }: Removal,
  listed: readonly string[],
): Promise<string[]> {
  const output = resolve(outputDirectory);
  const there = await env.products.leftovers(outputDirectory, runId);
  return listed.filter((location) => {
    const path = resolve(location);
    if (dirname(path) !== output) return false;
    return there
      .filter((folder) => folder.location === path)
      .every(({ word }) => isOwn(word, remover) || word.kind === 'torn');
  });
}

function isOwn(word: Leftover['word'], { attempt }: Remover): boolean {
  return word.kind === 'says' && word.attempt === attempt;
}

/** Where the attempt of a plan writes, and takes what it removes; of an earlier release only the latter. */
export function placeOf(
  { stagingDirectory }: Pick<Environment, 'stagingDirectory'>,
  plan: Plan,
): string {
  return plan.place ?? placeOfRemover(stagingDirectory, plan);
}

/** The attempt of a plan as one that removes what it has made itself. */
export function takingBack(env: Environment, plan: Plan, known: readonly string[] = []): Removal {
  const { run, runId, outputDirectory, attempt, host } = plan;
  const place = placeOf(env, plan);
  const document = plan.runDocument ?? null;
  const silent = document === null;
  const remover: Remover = { document, attempt, host, purpose: 'take_back', known, silent };
  return { run, runId, outputDirectory, place, remover };
}

/** The attempt of a plan as one that makes room for what it will make. */
export function makingRoom(env: Environment, plan: Plan, known: readonly string[] = []): Removal {
  const removal = takingBack(env, plan, known);
  const staying = new Set((plan.replaces ?? []).map((location) => resolve(location)));
  // Of the folders of an attempt that is only about to begin none is without a word.
  const remover = { ...removal.remover, purpose: 'before_attempt', silent: false } as const;
  return { ...removal, remover, staying };
}

/** The attempt of a plan as one whose products have taken the place of earlier ones. */
export function replacing(env: Environment, plan: Plan): Removal {
  const removal = takingBack(env, plan, plan.replaces ?? []);
  return { ...removal, remover: { ...removal.remover, purpose: 'replaced', silent: false } };
}

export function runsNow(documents: readonly RunDocument[]): RunNow[] {
  return documents.map((document) => runNow(idText(document._id), readRun(document)));
}

async function documentsNow(
  env: Environment,
  run: number,
  signal: AbortSignal,
): Promise<RunNow[] | null> {
  const documents = await untilAnswered(env, `run ${run}`, signal, () =>
    env.store.runs.byNumber(run),
  );
  return documents === null ? null : runsNow(documents);
}

type MayBeHeld = Extract<MayRemove, { kind: 'unless_held' }>;

async function verdictOn(
  env: Environment,
  folder: Leftover,
  documents: readonly RunNow[],
  removal: Removal,
): Promise<
  { kind: 'yes'; unlessHeld: MayBeHeld | null } | { kind: 'no'; why: string; held: boolean }
> {
  const verdict = mayRemove(folder, documents, removal.remover);
  if (verdict.kind === 'yes') return { kind: 'yes', unlessHeld: null };
  if (verdict.kind === 'no') return { ...verdict, held: false };
  const why = await heldNow(env, folder.path, removal, verdict);
  return why === null ? { kind: 'yes', unlessHeld: verdict } : { kind: 'no', why, held: true };
}

/** Why somebody may still write to a folder; null if nobody does. */
async function heldNow(
  env: Environment,
  path: string,
  { run, runId, outputDirectory, remover }: Removal,
  { maker }: MayBeHeld,
): Promise<string | null> {
  const { busyLeaseSeconds, quietSeconds } = env.rules.limits;
  const quiet: Record<MayBeHeld['maker'], number> = {
    unknown: quietSeconds,
    other_host: Math.min(OTHER_HOST_QUIET_SECONDS, busyLeaseSeconds / 2),
    torn: 0,
  };
  const activity = await env.products.activity(path);
  const why = heldBecause(activity, env.clock.now().getTime(), quiet[maker]);
  if (why !== null || maker === 'other_host') return why;
  const here = { run, runId, outputDirectory, attempt: remover.attempt };
  const left = env.machine.straxProcesses({ ...here, liveRoots: env.liveDataRoots });
  return orphanText(left);
}
