import { basename } from 'node:path';

import {
  type Action,
  type Finding,
  type HostSeen,
  type Listing,
  liveFolderOf,
  type LiveSeen,
  type RunSeen,
} from '../../attempt/files/folder-listing.pure.ts';
import {
  isMissing,
  listLive,
  listOutput,
  measureFolder,
  measureLive,
} from '../../attempt/files/folder-listing.ts';
import { leftoverAt } from '../../attempt/files/leftovers.ts';
import { mayRemove } from '../../attempt/files/ownership.pure.ts';
import { runsNow } from '../../attempt/files/removal.ts';
import {
  destroy,
  placeOfRemover,
  putBackCondemned,
  takeAway,
  tidyTrash,
  type Trash,
} from '../../attempt/files/trash.ts';
import { systemClock } from '../../infra/clock/clock.ts';
import type { Store } from '../../ports/store.ts';
import { idText } from '../../run/document-id.ts';
import { readRun } from '../../run/run.pure.ts';
import type { RunDocument } from '../../run/run-document.port.ts';
import { seenOf } from '../../run/stored-runs.ts';
import { attemptsHere } from './attempt-findings.ts';
import { placeFindings } from './place-findings.ts';
import { reconcile, stillPermitted } from './reconcile.pure.ts';

/** The documents and folders to compare. */
export interface Place {
  store: Store;
  host: string;
  outputDirectory: string;
  /** Folders are renamed into it before they are removed. */
  stagingDirectory: string;
  /** Time for which a folder must be unchanged before it is a finding. */
  quietSeconds: number;
  liveRoots: readonly string[];
  stateDir: string;
  presumedDeadSeconds: number;
  /** Whether a manager of this host runs on this machine. */
  managerRuns: boolean;
}

/** First and last run number, both included. */
export interface Scope {
  from: number;
  /** Null: to the last one. */
  to: number | null;
}

/** Run numbers in one query. */
const WINDOW = 500;
/** The host name of the DAQ in live entries. */
const DAQ = 'daq';

/**
 * Reads the disks of this host and the run documents; changes nothing. Only differences are measured. The
 * disk is read first: a folder whose entry is newer than this reading is read again.
 */
export async function look(place: Place, scope: Scope): Promise<Listing> {
  const { store, host } = place;
  const inScope = (each: { run: number }) => isIn(scope, each);
  const folders = (await listOutput(place.outputDirectory)).filter(inScope);
  const roots = await Promise.all(
    place.liveRoots.map(async (path) => ({ path, ...(await listLive(path)) })),
  );
  const live = roots.flatMap((root) => root.live).filter(inScope);
  const runs = await documents(store, scope, [...folders, ...live]);
  const rough: Listing = {
    host,
    nowMs: systemClock.now().getTime(),
    serverTime: await store.serverTime(),
    outputDirectory: place.outputDirectory,
    liveRoots: roots.map(({ path, unreadable }) => ({ path, unreadable })),
    folders,
    live,
    runs,
    attempts: [],
    hosts: await otherHosts(place, runs),
    missing: await missing(place, roots, live, runs),
    managerRuns: place.managerRuns,
    presumedDeadSeconds: place.presumedDeadSeconds,
  };
  return closer(place, rough, inScope);
}

/** Measures the folders that differ, and finds out who made them. */
async function closer(
  place: Place,
  rough: Listing,
  inScope: (attempt: { run: number }) => boolean,
): Promise<Listing> {
  const found = reconcile(rough);
  const paths = new Set(found.map(({ path }) => path));
  const folders = [];
  for (const folder of rough.folders) {
    if (!paths.has(folder.path)) folders.push(folder);
    // Gone meanwhile: a manager has removed it.
    else if (!(await isMissing(folder.path))) folders.push(await measureFolder(folder));
  }
  const live: LiveSeen[] = [];
  for (const each of rough.live) {
    if (!paths.has(each.path)) live.push(each);
    else if (!(await isMissing(each.path))) {
      live.push({ ...each, content: await measureLive(each.path) });
    }
  }
  const wanted = new Set(found.flatMap(({ run }) => (run === null ? [] : [run])));
  const attempts = (await attemptsHere(place, wanted)).filter(inScope);
  return { ...rough, folders, live, attempts };
}

/** All findings, with the listing behind them. */
export async function findings(place: Place, scope: Scope): Promise<Finding[]> {
  const found = reconcile(await look(place, scope));
  return [...found, ...(await placeFindings(place, (each) => isIn(scope, each)))];
}

function isIn({ from, to }: Scope, { run }: { run: number }): boolean {
  return run >= from && (to === null || run <= to);
}

export type Applied =
  | { kind: 'done' }
  /** The run has changed: nothing was done. */
  | { kind: 'changed' }
  | { kind: 'failed'; why: string };

/** Finishes an interrupted `apply`: folders in the trash get their name back, or are removed. */
export async function finishRemovals(place: Place): Promise<void> {
  await tidyTrash(trashOf(place).place);
}

/** Reads the run again, and carries out the action only if it is still the same. */
export async function apply(place: Place, action: Action): Promise<Applied> {
  const { store, host } = place;
  const scope = { from: action.run, to: action.run };
  if (!stillPermitted(action, await look(place, scope))) return { kind: 'changed' };
  switch (action.kind) {
    case 'remove':
      return remove(place, action);
    case 'withdraw': {
      const [document, ...others] = await store.runs.byNumber(action.run);
      if (document === undefined || others.length > 0) return { kind: 'changed' };
      const landed = await store.runs.withdrawSettled(seenOf(document), host, [action.location]);
      return { kind: landed === 'landed' ? 'done' : 'changed' };
    }
  }
}

/** Null: it is unknown to which of several documents a folder belongs. */
function onlyDocumentOf(runs: ReturnType<typeof runsNow>) {
  return runs.length === 1 ? (runs[0]?.document ?? null) : null;
}

/** Removes a folder by the common rule and its present stamp. */
async function remove(
  place: Place,
  { run, path, attempt }: Action & { kind: 'remove' },
): Promise<Applied> {
  const runId = basename(path).split('-', 1)[0] ?? '';
  const { store, host } = place;
  const trash = trashOf(place);
  try {
    const folder = await leftoverAt(path);
    if (folder === null) return { kind: 'done' };
    const { word, location, condemned } = folder;
    const runs = runsNow(await store.runs.byNumber(run));
    const verdict = mayRemove(folder, runs, {
      document: onlyDocumentOf(runs),
      attempt: attempt ?? (word.kind === 'says' ? word.attempt : ''),
      host,
      purpose: 'take_back',
      known: [location],
      silent: true,
    });
    if (verdict.kind !== 'yes') {
      if (condemned) await putBackCondemned(path);
      const why = verdict.kind === 'no' ? verdict.why : 'it may still be written to';
      return { kind: 'failed', why: `${path} stays: ${why}` };
    }
    const taken = await takeAway(trash, runId, folder);
    if (taken.kind !== 'taken') return { kind: taken.kind === 'gone' ? 'done' : 'changed' };
    return { kind: (await destroy(trash, taken.path)) ? 'done' : 'changed' };
  } catch (error) {
    return { kind: 'failed', why: error instanceof Error ? error.message : String(error) };
  }
}

/** A trash folder that belongs to no attempt: the manager may be working on those of attempts. */
function trashOf({ host, outputDirectory, stagingDirectory }: Place): Trash {
  const by = { host, outputDirectory };
  return { ...by, place: placeOfRemover(stagingDirectory, { ...by, attempt: null }) };
}

async function documents(
  store: Store,
  scope: Scope,
  onDisk: readonly { run: number }[],
): Promise<RunSeen[]> {
  const newest = await store.runs.list({ limit: 1 });
  const highest = Number(readRun(newest.runs[0]).ownership.number ?? -1);
  const end = scope.to ?? Infinity;
  const found: RunSeen[] = [];
  let more = true;
  // If numbers are not in the order of the starts, there may be higher ones than that of the newest run.
  for (let from = scope.from; from <= end && (more || from <= highest); from += WINDOW) {
    const window = await store.runs.numbered(from, Math.min(end, from + WINDOW - 1));
    found.push(...window.flatMap(runSeen));
    more = window.length > 0;
  }
  // The document of a run on disk may be newer than the reading of the highest number.
  const known = new Set(found.map(({ run }) => run));
  for (const run of new Set(onDisk.map((each) => each.run))) {
    if (known.has(run)) continue;
    found.push(...(await store.runs.byNumber(run)).flatMap(runSeen));
  }
  return found;
}

function runSeen(document: RunDocument): RunSeen[] {
  const { ownership, start, end, data } = readRun(document);
  const { number, state, host } = ownership;
  if (typeof number !== 'number') return [];
  return [
    {
      ...{ id: idText(document._id), run: number, state, host, start, end },
      entries: data.flatMap(({ type, host: at, location }) =>
        type === null || at === null ? [] : [{ type, host: at, location }],
      ),
    },
  ];
}

/** The locations in the documents that hold no data. */
async function missing(
  { host }: Place,
  roots: readonly { path: string; unreadable: string | null }[],
  live: readonly LiveSeen[],
  runs: readonly RunSeen[],
): Promise<Set<string>> {
  const visible = roots.filter(({ unreadable }) => unreadable === null);
  const known = new Set(live.map(({ path }) => path));
  const found = new Set<string>();
  for (const { run, entries } of runs) {
    for (const { type, host: on, location } of entries) {
      if (location === null) continue;
      const isLive = type === 'live' && on === DAQ;
      if (!isLive && on !== host) continue;
      const path = isLive ? liveFolderOf(location, run) : location;
      // Live data that is kept elsewhere cannot be seen from here.
      if (isLive && !visible.some((root) => path.startsWith(`${root.path}/`))) continue;
      if (!known.has(path) && (await isMissing(path))) found.add(path);
    }
  }
  return found;
}

/** Event builders with data entries, and their last heartbeats. */
async function otherHosts(place: Place, runs: readonly RunSeen[]): Promise<HostSeen[]> {
  const { store, host } = place;
  const holding = new Set(runs.flatMap(({ entries }) => entries.map((entry) => entry.host)));
  const builders = new Set(runs.flatMap(({ host: on }) => (typeof on === 'string' ? [on] : [])));
  const reports = await store.hosts.all();
  const [reportsAt, signsAt] = [await store.serverTime(), await store.silentHosts.time()];
  const found: HostSeen[] = [];
  for (const other of holding) {
    if (other === host || other === DAQ) continue;
    const report = reports.find((each) => each.host === other);
    const sign = await store.silentHosts.newest(other);
    const ages = [
      ...(report === undefined ? [] : [reportsAt.getTime() - report.time.getTime()]),
      ...(sign === null ? [] : [signsAt.getTime() - sign.time.getTime()]),
    ];
    // A host that never took a run nor sent a heartbeat is no event builder, but a grid site or a catalogue.
    if (ages.length === 0 && !builders.has(other)) continue;
    const silentSeconds = ages.length === 0 ? null : Math.max(0, Math.min(...ages) / 1000);
    found.push({ host: other, silentSeconds });
  }
  return found;
}
