import type { Incomplete } from './incomplete.pure.ts';
import type { BootstraxFields, FieldProblem, Run } from './run-shape.pure.ts';

/**
 * All that the program reads of a run document, typed to the leaf: what is not there, or not of a type
 * that is understood, is null or left out. Made by `readRun` alone; whether a run can be processed as
 * its document stands is decided on it (`checkRun`).
 */
export interface StoredRun {
  ownership: Ownership;
  number: number | null;
  mode: string | null;
  detectors: readonly string[];
  start: Date | null;
  end: Date | null;
  status: string | null;
  /** The same whatever it is, for people. */
  statusText: string | null;
  /** State of restrax, which moves a finished run's data on; null: it has not begun. */
  restrax: string | null;
  /** Whoever wrote them, as an object with a name or as plain text. */
  tags: readonly string[];
  /** Of these, the ones that are elements of a list and objects with a name: queries find no others. */
  namedTags: readonly string[];
  tagNotes: readonly StoredNote[];
  comments: readonly StoredNote[];
  /** `bootstrax.state` whatever it is, for people; null: untouched. */
  stateText: string | null;
  bootstrax: BootstraxFields;
  /** The count of failures is of another type than a number: not every query finds it. */
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
  /** The same of the averages. */
  averageRateMBps: number | null;
  /** What nobody can process it with. */
  problems: readonly FieldProblem[];
  /** What is not as it should be and stops nothing. */
  oddities: readonly FieldProblem[];
}

/**
 * The ownership of a run as it was read, for compare-and-set and to be shown: values are as stored,
 * whatever their type; absent fields are null.
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
  /** Host that has deleted it. */
  by: string | null;
}

/** A tag or a comment, as the site's other programs write them. */
export interface StoredNote {
  text: string;
  by: string | null;
  at: Date | null;
}

/** What only this program writes into `bootstrax`, beside what decisions take (`BootstraxFields`). */
export interface OwnFields {
  /** The attempt that concluded the run. */
  lastAttempt: string | null;
  /** The time of our last write, given a second time; null: not given. */
  attemptTime: OwnTime | null;
  /** Id of what a person has asked for last. */
  action: string | null;
  /** Null: none is there. */
  plan: StoredPlan | null;
  progress: StoredProgress | null;
  /** What its data lacks; null: nothing that is known. */
  incomplete: Incomplete | null;
  /** Why it is set aside. */
  malformed: readonly FieldProblem[];
  /** Ids of documents with its number, while it is set aside for them. */
  sameNumber: readonly string[];
  faultSeen: FaultSeen | null;
  /** What holds a done run for what it lacks; null: nobody makes that. */
  debt: StoredDebt | null;
  /** The attempt that has made what it lacked. */
  debtPaid: string | null;
}

/** What is being or was tried. */
export interface StoredPlan {
  targets: readonly string[];
  dropped: readonly string[];
  /** Folder that the attempt writes to until its products are checked. */
  place: string | null;
}

/** `at` null: what stands there is no date. */
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
  /** Since the child's start. */
  seconds: number | null;
  firstOutput: Date | null;
}

export interface StoredDebt {
  attempt: string | null;
  seen: DebtSeen;
}

/** As it was read, for compare-and-set: values as stored, whatever their type; absent ones are null. */
export interface DebtSeen {
  attempt: unknown;
  time: unknown;
}

/** What the document and the live data looked like when a fault was found that only an attempt finds. */
export interface FaultSeen {
  document: string;
  live: string;
}
