/**
 * What lies on the disks of one host against what the run documents say: a listing in, findings out.
 * Only a few findings carry an action; everything else is for a person.
 */

/** A folder with strax data, or what carries such a name, directly in the output folder. */
export interface FolderSeen {
  /** Absolute. */
  path: string;
  run: number;
  /** Path without the suffix of an unfinished folder: what a `data` entry of it says. */
  location: string;
  unfinished: boolean;
  /** Its removal by an earlier `--apply` was cut. */
  condemned: boolean;
  /** Links and files are only ever reported. */
  isFolder: boolean;
  files: number;
  bytes: number;
  /** Newest modification of the folder or of anything in it, ms since 1970 by this machine's clock. */
  newestMs: number;
}

/** A folder of live data that carries a run's number. */
export interface LiveSeen {
  path: string;
  run: number;
  /** Its name says that it is being deleted. */
  beingDeleted: boolean;
  /** Null where nobody asked for it. */
  content: LiveContent | null;
}

export interface LiveContent {
  /** Folders of chunks, overlaps between them left out. */
  chunks: number;
  files: number;
  bytes: number;
  /** Oldest and newest modification, ms since 1970 by this machine's clock. */
  firstMs: number;
  lastMs: number;
}

/** One `data` entry. */
export interface EntrySeen {
  type: string;
  host: string;
  location: string | null;
}

/** One run document; a number may have several. */
export interface RunSeen {
  run: number;
  state: unknown;
  host: unknown;
  start: Date | null;
  end: Date | null;
  entries: readonly EntrySeen[];
}

/** An attempt of this host, from its directory and from the history. */
export interface AttemptSeen {
  id: string;
  run: number;
  /** Null while it has none. */
  outcome: string | null;
  /** When it had ended for good, ms since 1970; null if it has not. */
  endedMs: number | null;
  /** Folders it is known to have made, final paths. */
  locations: readonly string[];
  /** It has a directory that is not concluded. */
  open: boolean;
  /** Processes of it run now. */
  alive: boolean;
}

/** An event builder other than this one. */
export interface HostSeen {
  host: string;
  /** Seconds since its last life sign by the server's clock; null if none is known. */
  silentSeconds: number | null;
}

export interface Listing {
  host: string;
  /** This machine's clock, ms since 1970. */
  nowMs: number;
  /** The database server's clock. */
  serverTime: Date;
  outputDirectory: string;
  /** Folders below which live data is seen from here; those that cannot be read say why. */
  liveRoots: readonly { path: string; unreadable: string | null }[];
  folders: readonly FolderSeen[];
  live: readonly LiveSeen[];
  runs: readonly RunSeen[];
  attempts: readonly AttemptSeen[];
  hosts: readonly HostSeen[];
  /** Paths that were looked for, and are not there. */
  missing: ReadonlySet<string>;
  managerRuns: boolean;
  presumedDeadSeconds: number;
}

/** What `--apply` may do about a finding. */
export type Action =
  /** `attempt`: which made it; null where an earlier `--apply` has proved that already. */
  | { kind: 'remove'; run: number; path: string; attempt: string | null }
  | { kind: 'withdraw'; run: number; location: string; attempt: string };

export type FindingKind =
  /** Live data whose run document was never written. */
  | 'live_without_document'
  /** Live data that its run document does not list (any more). */
  | 'live_unlisted'
  | 'live_being_deleted'
  /** A live entry without its folder. */
  | 'live_missing'
  | 'live_unreadable'
  /** A data entry of this host without its folder. */
  | 'entry_without_data'
  | 'folder_without_document'
  | 'folder_unregistered'
  | 'folder_unfinished'
  /** Data here of a run that another host has finished. */
  | 'done_elsewhere'
  /** Entries of a host that has fallen silent. */
  | 'dead_host'
  /** An attempt of this host that is not concluded. */
  | 'attempt_unfinished';

export interface Finding {
  kind: FindingKind;
  run: number | null;
  /** Absolute path, where it is about one. */
  path: string | null;
  /** What is known, in words. */
  says: string;
  /** What to do. */
  todo: string;
  action: Action | null;
  /** Nobody but a person will see to it. */
  needsPerson: boolean;
  details: Readonly<Record<string, unknown>>;
}

/** Outcomes of attempts whose products nobody wants. */
const FAILED: readonly (string | null)[] = [
  ...['failed', 'requeued', 'given_up', 'set_aside', 'abandoned', 'superseded'],
];
/** An attempt's end is noted after its last write, perhaps by another clock, ms. */
const END_SLACK_MS = 60_000;
/** The readers write their first files before the run document appears, ms. */
const DOCUMENT_DELAY_MS = 300_000;
/** The same in the other direction: a document may be there before the first file, ms. */
const FIRST_FILE_MS = 300_000;
/** Runs named in a summary. */
const MOST_NAMED = 20;

/** Compares a listing; findings in the order of runs. */
export function reconcile(listing: Listing): Finding[] {
  const view = new View(listing);
  return [
    ...listing.liveRoots.flatMap(unreadableRoot),
    ...listing.live.flatMap((live) => liveFolder(view, live)),
    ...listing.runs.flatMap((run) => liveEntries(view, run)),
    ...listing.folders.flatMap((folder) => outputFolder(view, folder)),
    ...listing.runs.flatMap((run) => dataEntries(view, run)),
    ...listing.attempts.flatMap((attempt) => unfinishedAttempt(view, attempt)),
    ...listing.hosts.flatMap((host) => deadHost(view, host)),
  ].sort((a, b) => (a.run ?? Infinity) - (b.run ?? Infinity));
}

/** Does a fresh look at the run come to the same? Asked right before the action is carried out. */
export function stillPermitted(action: Action, fresh: Listing): boolean {
  return reconcile(fresh).some(({ action: now }) => now !== null && sameAction(now, action));
}

function sameAction(a: Action, b: Action): boolean {
  const place = (action: Action) => (action.kind === 'remove' ? action.path : action.location);
  return a.kind === b.kind && a.run === b.run && place(a) === place(b);
}

/** Where the live data of a run lies by an entry of its document. */
export function liveFolderOf(location: string, run: number): string {
  return `${location.replace(/\/+$/, '')}/${runId(run)}`;
}

class View {
  readonly listing: Listing;
  readonly #runs = new Map<number, RunSeen[]>();
  readonly #attempts = new Map<number, AttemptSeen[]>();
  readonly #entries = new Set<string>();
  readonly #folders = new Set<string>();

  constructor(listing: Listing) {
    this.listing = listing;
    for (const run of listing.runs) {
      this.#runs.set(run.run, [...(this.#runs.get(run.run) ?? []), run]);
      for (const { location } of run.entries) if (location !== null) this.#entries.add(location);
    }
    for (const attempt of listing.attempts) {
      this.#attempts.set(attempt.run, [...(this.#attempts.get(attempt.run) ?? []), attempt]);
    }
    for (const { path } of listing.folders) this.#folders.add(path);
  }

  runs(number: number): readonly RunSeen[] {
    return this.#runs.get(number) ?? [];
  }

  /** Any host's: on a shared disk it may be this very folder. */
  isListed(location: string): boolean {
    return this.#entries.has(location);
  }

  isThere(path: string): boolean {
    return this.#folders.has(path) || !this.listing.missing.has(path);
  }

  isHeld(number: number): boolean {
    return this.runs(number).some(isHeld);
  }

  isHeldHere(number: number): boolean {
    return this.runs(number).some((run) => isHeld(run) && run.host === this.listing.host);
  }

  doneHere(number: number): boolean {
    return this.runs(number).some(({ state, host }) => {
      return state === 'done' && host === this.listing.host;
    });
  }

  doneElsewhere(number: number): string | null {
    const found = this.runs(number).find(({ state, host }) => {
      return state === 'done' && host !== this.listing.host;
    });
    return found === undefined ? null : String(found.host);
  }

  /** A manager is about to tidy up after an attempt at it. */
  isSeenTo(number: number): boolean {
    const attempts = this.#attempts.get(number) ?? [];
    return this.listing.managerRuns && attempts.some(({ open, alive }) => open || alive);
  }

  /**
   * The failed attempt of this host that made a folder, if that is proved: it announced it, it had
   * ended before the last change in it, and no other attempt here may have to do with it.
   */
  makerOf(number: number, location: string, newestMs: number): Proof {
    const no = (why: string): Proof => ({ attempt: null, why });
    const { outputDirectory } = this.listing;
    if (!isInside(outputDirectory, location, number)) {
      return no(`it is no folder of its run directly in the output folder ${outputDirectory}`);
    }
    const documents = this.runs(number);
    if (documents.length === 0) return no('its run has no document');
    if (documents.length > 1) return no(`${documents.length} documents have its run number`);
    if (this.isHeld(number)) return no('its run is being processed');
    if (this.doneHere(number)) return no('its run is done on this host');
    const attempts = this.#attempts.get(number) ?? [];
    if (attempts.some(({ endedMs, open, alive }) => endedMs === null || open || alive)) {
      return no('an attempt of this host at its run is not concluded');
    }
    const makers = attempts.filter(({ locations }) => locations.includes(location));
    if (makers.length === 0) return no('no attempt of this host is known to have made it');
    if (!makers.every(({ outcome }) => FAILED.includes(outcome))) {
      return no('an attempt of this host that did not fail has made it');
    }
    const maker = makers.find(({ endedMs }) => newestMs <= (endedMs ?? -Infinity) + END_SLACK_MS);
    if (maker === undefined) return no('it was changed after the attempts that made it had ended');
    return { attempt: maker.id, outcome: maker.outcome ?? '' };
  }
}

type Proof = { attempt: string; outcome: string } | { attempt: null; why: string };

/** Nothing outside the output folder is ever touched, whatever a document or a listing says. */
function isInside(outputDirectory: string, path: string, run: number): boolean {
  const start = `${outputDirectory}/${runId(run)}-`;
  return path.startsWith(start) && /^[\w-]+$/.test(path.slice(start.length));
}

function isHeld({ state }: RunSeen): boolean {
  return state === 'considering' || state === 'busy';
}

function unreadableRoot({ path, unreadable }: Listing['liveRoots'][number]): Finding[] {
  if (unreadable === null) return [];
  return [
    {
      kind: 'live_unreadable',
      run: null,
      path,
      says: `live data cannot be seen from here: ${path} cannot be read (${unreadable})`,
      todo: 'mount it, or correct paths.live_data, and look again',
      ...forAPerson({}),
    },
  ];
}

function liveFolder(view: View, live: LiveSeen): Finding[] {
  const { run, path, content } = live;
  const details = { ...contentDetails(content) };
  const what = content === null ? path : `${path}: ${contentInWords(content)}`;
  const documents = view.runs(run);
  if (live.beingDeleted) {
    return [
      {
        kind: 'live_being_deleted',
        run,
        path,
        says: `live data of run ${run} is half deleted, ${what}`,
        todo: `see 'bootstrax deletions': a manager of the host that began it goes on with it`,
        ...forNobody(details),
      },
    ];
  }
  if (documents.length === 0) {
    const age = content === null ? Infinity : view.listing.nowMs - content.firstMs;
    const soon = age < DOCUMENT_DELAY_MS;
    const base = { kind: 'live_without_document', run, path } as const;
    if (soon) {
      return [
        {
          ...base,
          says: `live data without a run document yet, ${what}`,
          todo: 'the DAQ may be about to write it: look again in a few minutes',
          ...forNobody(details),
        },
      ];
    }
    return [
      {
        ...base,
        says: `the DAQ never managed to write the document of run ${run}, but its live data is there, ${what}`,
        todo: `have the document written (number ${run}, start, end, mode, detectors, daq_config, data), and it is processed; or remove ${path} if it is no run`,
        ...forAPerson(details),
      },
    ];
  }
  if (documents.some(({ entries }) => entries.some(({ type }) => type === 'live'))) return [];
  return [
    {
      kind: 'live_unlisted',
      run,
      path,
      says: `live data of run ${run} is there, but its document lists none, ${what}`,
      todo: `its deletion was cut, or the entry lost: see 'bootstrax deletions --run ${run}' and the run's deleted_data, then remove ${path} or restore the entry`,
      ...forAPerson(details),
    },
  ];
}

function liveEntries(view: View, run: RunSeen): Finding[] {
  const { serverTime } = view.listing;
  const { start, end, state } = run;
  const fresh =
    end === null && start !== null && serverTime.getTime() - start.getTime() < FIRST_FILE_MS;
  return run.entries.flatMap(({ type, location }) => {
    if (type !== 'live' || location === null || fresh) return [];
    const path = liveFolderOf(location, run.run);
    if (!view.listing.missing.has(path)) return [];
    const finished = state === 'done' || state === 'abandoned';
    const finding: Finding = {
      kind: 'live_missing',
      run: run.run,
      path,
      says: `the document of run ${run.run} (${stateInWords(run)}) lists live data, but ${path} is not there`,
      todo: finished
        ? `if it was deleted on purpose, move the entry to deleted_data`
        : `restore it and 'bootstrax retry ${run.run}', or 'bootstrax abandon ${run.run}'`,
      ...forAPerson({ state }),
    };
    return [finding];
  });
}

function outputFolder(view: View, folder: FolderSeen): Finding[] {
  const { run, path, location, unfinished } = folder;
  const { host } = view.listing;
  const documents = view.runs(run);
  const what = `${path} (${folder.files} files, ${folder.bytes} bytes, changed last ${iso(folder.newestMs)})`;
  const details = { files: folder.files, bytes: folder.bytes, changedLast: iso(folder.newestMs) };
  const elsewhere = view.doneElsewhere(run);
  const registeredHere = documents.some(({ entries }) =>
    entries.some((entry) => entry.host === host && entry.location === location),
  );
  // What is being made now is nobody else's business.
  if (view.isHeldHere(run)) return [];
  if (documents.length === 0) {
    return [
      {
        kind: 'folder_without_document',
        run,
        path,
        says: `data of run ${run}, which has no document: ${what}`,
        todo: `find out whose it is; remove it by hand if nobody wants it`,
        ...forAPerson(details),
      },
    ];
  }
  if (registeredHere && !unfinished) {
    if (elsewhere === null) return [];
    return [
      {
        kind: 'done_elsewhere',
        run,
        path,
        says: `run ${run} is done on ${elsewhere}, but its data here is registered as well: ${what}`,
        todo: 'ajax removes data that is not of the latest host',
        ...forNobody({ ...details, doneOn: elsewhere, registered: true }),
      },
    ];
  }
  if (view.isHeld(run)) {
    return [
      {
        kind: unfinished ? 'folder_unfinished' : 'folder_unregistered',
        run,
        path,
        says: `left here of run ${run}, which another host is processing: ${what}`,
        todo: 'look again when that has ended',
        ...forNobody(details),
      },
    ];
  }
  const kind: FindingKind =
    elsewhere !== null
      ? 'done_elsewhere'
      : unfinished
        ? 'folder_unfinished'
        : 'folder_unregistered';
  const says =
    elsewhere !== null
      ? `run ${run} is done on ${elsewhere}, and here lies unregistered data of it: ${what}`
      : unfinished
        ? `strax never finished this, and nobody works on run ${run} (${inWords(documents)}): ${what}`
        : `data of run ${run} (${inWords(documents)}) that its document does not list for this host: ${what}`;
  const base = { kind, run, path, says };
  const all = { ...details, ...(elsewhere === null ? {} : { doneOn: elsewhere }) };
  const byHand = (why: string): Finding[] => [
    {
      ...base,
      todo: `not removed by --apply: ${why}. Look whose it is, then register it or remove it by hand`,
      ...forAPerson(all),
    },
  ];
  if (view.isSeenTo(run)) {
    return [{ ...base, todo: 'the manager tidies up after the attempt', ...forNobody(all) }];
  }
  if (!folder.isFolder) return byHand('it is a link or a file');
  if (folder.condemned && isInside(view.listing.outputDirectory, path, run)) {
    return [
      {
        ...base,
        todo: `its removal was cut: 'bootstrax reconcile --apply' goes on with it`,
        action: { kind: 'remove', run, path, attempt: null },
        needsPerson: true,
        details: all,
      },
    ];
  }
  if (view.isListed(location) || view.isListed(path)) return byHand('a run document lists it');
  const proof = view.makerOf(run, location, folder.newestMs);
  if (proof.attempt === null) return byHand(proof.why);
  return [
    {
      ...base,
      todo: `'bootstrax reconcile --apply' removes it: attempt ${proof.attempt} of this host made it, which ended ${proof.outcome}`,
      action: { kind: 'remove', run, path, attempt: proof.attempt },
      needsPerson: true,
      details: { ...all, attempt: proof.attempt },
    },
  ];
}

function dataEntries(view: View, run: RunSeen): Finding[] {
  const { listing } = view;
  const { host } = listing;
  if (view.isHeldHere(run.run)) return [];
  return run.entries.flatMap((entry): Finding[] => {
    const { location, type } = entry;
    if (entry.host !== host || type === 'live' || location === null) return [];
    if (view.isThere(location)) return [];
    const temporary = listing.folders.some((folder) => folder.path === `${location}_temp`);
    const base = {
      kind: 'entry_without_data',
      run: run.run,
      path: location,
      says:
        `the document of run ${run.run} (${stateInWords(run)}) lists ${type} on this host, but ${location} is not there` +
        (temporary ? ': only the folder that strax did not finish' : ''),
    } as const;
    const details = { type, state: run.state };
    if (view.isSeenTo(run.run)) {
      return [{ ...base, todo: 'the manager tidies up after the attempt', ...forNobody(details) }];
    }
    const proof: Proof = temporary
      ? { attempt: null, why: 'the unfinished folder has to be seen to first' }
      : view.makerOf(run.run, location, -Infinity);
    if (proof.attempt === null) {
      const again =
        run.state === 'done' && run.host === host
          ? ` (or have the run processed again: 'bootstrax fail ${run.run}', while its live data is there)`
          : '';
      return [
        {
          ...base,
          todo: `not withdrawn by --apply: ${proof.why}. Restore the folder, or move the entry to deleted_data${again}`,
          ...forAPerson(details),
        },
      ];
    }
    return [
      {
        ...base,
        todo: `'bootstrax reconcile --apply' withdraws the entry: attempt ${proof.attempt} of this host made it, which ended ${proof.outcome}`,
        action: { kind: 'withdraw', run: run.run, location, attempt: proof.attempt },
        needsPerson: true,
        details: { ...details, attempt: proof.attempt },
      },
    ];
  });
}

function unfinishedAttempt(view: View, attempt: AttemptSeen): Finding[] {
  const { id, run, open, alive, endedMs } = attempt;
  if (!open && !alive && endedMs !== null) return [];
  // A manager sees to its attempts, those of its forerunners among them.
  const seenTo = view.listing.managerRuns;
  if (seenTo && view.isHeldHere(run)) return [];
  const going = alive ? 'its processes run' : 'none of its processes runs';
  return [
    {
      kind: 'attempt_unfinished',
      run,
      path: null,
      says: `attempt ${id} at run ${run} is not concluded; ${going}, ${seenTo ? 'and a manager runs here' : 'and no manager runs here'}`,
      todo: seenTo
        ? 'the manager sees to it'
        : "start the manager ('bootstrax run'), or leave the host to another program ('bootstrax handback')",
      action: null,
      needsPerson: !seenTo,
      details: { attempt: id, alive, open },
    },
  ];
}

function deadHost(view: View, { host, silentSeconds }: HostSeen): Finding[] {
  const { listing } = view;
  if (host === listing.host) return [];
  if (silentSeconds !== null && silentSeconds <= listing.presumedDeadSeconds) return [];
  const runs = listing.runs
    .map(({ run, entries }) => ({ run, count: entries.filter((e) => e.host === host).length }))
    .filter(({ count }) => count > 0);
  if (runs.length === 0) return [];
  const numbers = runs.map(({ run }) => run);
  const named = numbers.slice(0, MOST_NAMED).join(', ');
  const more = numbers.length > MOST_NAMED ? ` and ${numbers.length - MOST_NAMED} more` : '';
  const since =
    silentSeconds === null
      ? 'of which no life sign is known'
      : `silent for ${Math.round(silentSeconds)} s`;
  const entries = runs.reduce((sum, { count }) => sum + count, 0);
  return [
    {
      kind: 'dead_host',
      run: null,
      path: null,
      says: `${entries} data entries of ${runs.length} runs are on ${host}, ${since}: run ${named}${more}`,
      todo: `bring ${host} back, or have its data copied; if it never comes back, have those runs processed again and its entries withdrawn`,
      ...forAPerson({ host, silentSeconds, entries, runs: numbers }),
    },
  ];
}

function forAPerson(
  details: Finding['details'],
): Pick<Finding, 'action' | 'needsPerson' | 'details'> {
  return { action: null, needsPerson: true, details };
}

function forNobody(
  details: Finding['details'],
): Pick<Finding, 'action' | 'needsPerson' | 'details'> {
  return { action: null, needsPerson: false, details };
}

function contentDetails(content: LiveContent | null): Record<string, unknown> {
  if (content === null) return {};
  const { chunks, files, bytes, firstMs, lastMs } = content;
  return { chunks, files, bytes, first: iso(firstMs), last: iso(lastMs) };
}

function contentInWords({ chunks, files, bytes, firstMs, lastMs }: LiveContent): string {
  return `${chunks} chunks, ${files} files, ${bytes} bytes, written from ${iso(firstMs)} to ${iso(lastMs)}`;
}

function inWords(documents: readonly RunSeen[]): string {
  return documents.map(stateInWords).join('; ');
}

function stateInWords({ state, host }: RunSeen): string {
  if (state === null || state === undefined) return 'new';
  if (typeof state !== 'string') return 'of no known state';
  return typeof host === 'string' ? `${state} on ${host}` : state;
}

function runId(run: number): string {
  return String(run).padStart(6, '0');
}

function iso(ms: number): string {
  return Number.isFinite(ms) ? new Date(ms).toISOString() : 'unknown';
}
