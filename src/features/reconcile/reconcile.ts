import { basename } from 'node:path';

import { leftoverAt } from '../../attempt/files/leftovers.ts';
import {
  isMissing,
  listLive,
  listOutput,
  measureFolder,
  measureLive,
} from '../../attempt/files/folder-listing.ts';
import {
  liveFolderOf,
  type Action,
  type Finding,
  type HostSeen,
  type Listing,
  type LiveSeen,
  type RunSeen,
} from '../../attempt/files/folder-listing.pure.ts';
import { mayRemove } from '../../attempt/files/ownership.pure.ts';
import { reconcile, stillPermitted } from './reconcile.pure.ts';
import { idText } from '../../run/document-id.ts';
import { readRun } from '../../run/run.pure.ts';
import { seenOf } from '../../run/stored-runs.ts';
import type { RunDocument } from '../../run/run-document.port.ts';
import type { Store } from '../../ports/store.ts';
import { runsNow } from '../../attempt/files/removal.ts';
import {
  destroy,
  placeOfRemover,
  putBackCondemned,
  takeAway,
  tidyTrash,
  type Trash,
} from '../../attempt/files/trash.ts';
import { attemptsHere } from './attempt-findings.ts';
import { placeFindings } from './place-findings.ts';
import { systemClock } from '../../infra/clock/clock.ts';

/** What is compared, and with what. */
export interface Place {
  store: Store;
  host: string;
  outputDirectory: string;
  /** What is removed is renamed into a folder in it first. */
  stagingDirectory: string;
  /** How long nothing in a folder has to be unchanged before it counts as left, seconds. */
  quietSeconds: number;
  liveRoots: readonly string[];
  stateDir: string;
  presumedDeadSeconds: number;
  /** A manager of this host runs on this machine. */
  managerRuns: boolean;
}

/** Run numbers, both included. */
export interface Scope {
  from: number;
  /** Null: to the last one. */
  to: number | null;
}

/** Numbers asked for by one query. */
const WINDOW = 500;
/** The DAQ: its live data is seen through the folders of live data. */
const DAQ = 'daq';

/**
 * Looks at the disks of this host and at the run documents; changes nothing. Only what differs is
 * looked at closely. The disk comes first: an entry that is newer than the look at its folder is
 * looked for once more.
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

/** Measures what differs, and asks who made it. */
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
    // Gone since: a manager has tidied up.
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

/** All findings, and the listing that they come from. */
export async function findings(place: Place, scope: Scope): Promise<Finding[]> {
  const found = reconcile(await look(place, scope));
  return [...found, ...(await placeFindings(place, (each) => isIn(scope, each)))];
}

function isIn({ from, to }: Scope, { run }: { run: number }): boolean {
  return run >= from && (to === null || run <= to);
}

export type Applied =
  | { kind: 'done' }
  /** It is no longer as it was: nothing was done. */
  | { kind: 'changed' }
  | { kind: 'failed'; why: string };

/** What an earlier `apply` had taken away when it was cut has its name again, or goes. */
export async function finishRemovals(place: Place): Promise<void> {
  await tidyTrash(trashOf(place).place);
}

/** Looks at the run once more, and carries the action out only if that comes to the same. */
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

/** By the same rule as everywhere, and by what the folder says now. */
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
      document: runs.length === 1 ? (runs[0]?.document ?? null) : null,
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
    if (taken.kind === 'gone') return { kind: 'done' };
    const isRemoved = taken.kind === 'taken' && (await destroy(trash, taken.path));
    return { kind: isRemoved ? 'done' : 'changed' };
  } catch (error) {
    return { kind: 'failed', why: error instanceof Error ? error.message : String(error) };
  }
}

/** No attempt's: those are the manager's, which may be at work on them. */
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
  // Numbers that are not in the order of the starts may go on beyond the newest run's.
  for (let from = scope.from; from <= end && (more || from <= highest); from += WINDOW) {
    const window = await store.runs.numbered(from, Math.min(end, from + WINDOW - 1));
    found.push(...window.flatMap(runSeen));
    more = window.length > 0;
  }
  // The document of a run on disk may be newer than the look at the highest number.
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

/** Of all the places where data should be by the documents, those where there is none. */
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
      // Live data that is kept elsewhere is not to be seen from here.
      if (isLive && !visible.some((root) => path.startsWith(`${root.path}/`))) continue;
      if (!known.has(path) && (await isMissing(path))) found.add(path);
    }
  }
  return found;
}

/** Event builders that have data, by the documents, and when they were last heard of. */
async function otherHosts(place: Place, runs: readonly RunSeen[]): Promise<HostSeen[]> {
  const { store, host } = place;
  const holding = new Set(runs.flatMap(({ entries }) => entries.map((entry) => entry.host)));
  const builders = new Set(runs.flatMap(({ host: on }) => (typeof on === 'string' ? [on] : [])));
  const reports = await store.hosts.all();
  const [runsNow, daqNow] = [await store.serverTime(), await store.silentHosts.time()];
  const found: HostSeen[] = [];
  for (const other of holding) {
    if (other === host || other === DAQ) continue;
    const report = reports.find((each) => each.host === other);
    const sign = await store.silentHosts.newest(other);
    const ages = [
      ...(report === undefined ? [] : [runsNow.getTime() - report.time.getTime()]),
      ...(sign === null ? [] : [daqNow.getTime() - sign.time.getTime()]),
    ];
    // Whoever never took a run nor gave a sign of life is no event builder: a grid site, a catalogue.
    if (ages.length === 0 && !builders.has(other)) continue;
    const silentSeconds = ages.length === 0 ? null : Math.max(0, Math.min(...ages) / 1000);
    found.push({ host: other, silentSeconds });
  }
  return found;
}
