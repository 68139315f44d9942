import type { Incomplete } from './incomplete.pure.ts';
import type { BootstraxFields, FieldProblem, Run } from './run-shape.pure.ts';

/**
 * All that the program reads of a run document, typed to the leaf: a value that is absent or of a wrong
 * type is null or left out. Only `readRun` makes it; `checkRun` decides on it whether the run can be
 * processed.
 */
export interface StoredRun {
  ownership: Ownership;
  number: number | null;
  mode: string | null;
  detectors: readonly string[];
  start: Date | null;
  end: Date | null;
  status: string | null;
  /** The status as text for people, whatever its type. */
  statusText: string | null;
  /** State of restrax, which takes a done run next; null: it has not begun. */
  restrax: string | null;
  /** Names of all tags, written as objects or as plain text. */
  tags: readonly string[];
  /** Names of tags that are objects in a list: queries find only these. */
  namedTags: readonly string[];
  tagNotes: readonly StoredNote[];
  comments: readonly StoredNote[];
  /** `bootstrax.state` as text for people, whatever its type; null: untouched. */
  stateText: string | null;
  bootstrax: BootstraxFields;
  /** The count of failures is no number: some queries do not find the run then. */
  hasOddCount: boolean;
  own: OwnFields;
  /** Entries that are no objects are left out. */
  data: readonly StoredEntry[];
  deletedData: readonly StoredDeletion[];
  /** Where the live data of this run lies, as the document says; null once it is deleted. */
  liveLocation: string | null;
  daq: Run['daq'];
  /** Sum over detectors of the maximal rate, MB/s. */
  rateMBps: number | null;
  /** Sum over detectors of the average rate, MB/s. */
  averageRateMBps: number | null;
  /** Faults of the document that prevent processing. */
  problems: readonly FieldProblem[];
  /** Faults of the document that stop nothing. */
  oddities: readonly FieldProblem[];
}

/**
 * State, holder and heartbeat of a run as they were read, for compare-and-set and for display. Values
 * are as stored, whatever their type; absent fields are null.
 */
export interface Ownership {
  number: unknown;
  state: unknown;
  host: unknown;
  time: unknown;
  attempt: unknown;
}

/** An entry of `data`. */
export interface StoredEntry {
  type: string | null;
  host: string | null;
  location: string | null;
}

/** An entry of `deleted_data`. */
export interface StoredDeletion {
  type: string | null;
  host: string | null;
  at: Date | null;
  /** Host that deleted the data. */
  by: string | null;
}

/** A tag or a comment, as the site's other programs write them. */
export interface StoredNote {
  text: string;
  by: string | null;
  at: Date | null;
}

/** Further fields of `bootstrax` that only this program writes; decisions use `BootstraxFields`. */
export interface OwnFields {
  /** The attempt that concluded the run. */
  lastAttempt: string | null;
  /** Second copy of the time of our last write; null: not written. */
  attemptTime: OwnTime | null;
  /** Id of the last action of a person. */
  action: string | null;
  /** Null: there is no plan. */
  plan: StoredPlan | null;
  progress: StoredProgress | null;
  /** Parts of the run that its data lacks; null: none is known. */
  incomplete: Incomplete | null;
  /** Why the run is set aside. */
  malformed: readonly FieldProblem[];
  /** Ids of documents with the same number, while the run is set aside for them. */
  sameNumber: readonly string[];
  faultSeen: FaultSeen | null;
  /** Holder of a done run while its debt is made; null: none. */
  debt: StoredDebt | null;
  /** The attempt that made the debt of the run. */
  debtPaid: string | null;
}

/** The plan of the present or last attempt. */
export interface StoredPlan {
  targets: readonly string[];
  dropped: readonly string[];
  /** Folder that the attempt writes to until its products are checked. */
  place: string | null;
}

/** `at` null: the value is no date. */
export interface OwnTime {
  at: Date | null;
}

export interface StoredProgress {
  phase: string | null;
  chunks: number | null;
  coveredSeconds: number | null;
  bytes: number | null;
  memoryBytes: number | null;
  mbPerSecond: number | null;
  /** Seconds since the start of the child. */
  seconds: number | null;
  firstOutput: Date | null;
  /** When a figure or the phase last changed. */
  moved: Date | null;
  /** What of the live data it waits for. */
  waitsFor: string | null;
}

export interface StoredDebt {
  attempt: string | null;
  seen: DebtSeen;
}

/** The debt as it was read, for compare-and-set: values as stored, whatever their type; absent ones are null. */
export interface DebtSeen {
  attempt: unknown;
  time: unknown;
}

/** Marks of document and live data at the time of a fault that only an attempt can find. */
export interface FaultSeen {
  document: string;
  live: string;
}
