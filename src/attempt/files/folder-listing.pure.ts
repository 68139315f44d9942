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
  /** Of the document. */
  id: string;
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
  /** Seconds since its last heartbeat by the server's clock; null if none is known. */
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
  /** Several documents have one run number. */
  | 'same_number'
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
  | 'attempt_unfinished'
  /** The place of an attempt that is not going on. */
  | 'place_left';

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

/** As it stands in names of folders. */
export function runId(run: number): string {
  return String(run).padStart(6, '0');
}

/** Where the live data of a run lies by an entry of its document. */
export function liveFolderOf(location: string, run: number): string {
  return `${location.replace(/\/+$/, '')}/${runId(run)}`;
}
