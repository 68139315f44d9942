import type { ExecutorName } from '../executors/executor-name.pure.ts';

/** States of `bootstrax.state` (reference, section 2.1); null or absent means untouched. */
export const RUN_STATES = ['considering', 'busy', 'done', 'failed', 'abandoned'] as const;
export type RunState = (typeof RUN_STATES)[number];

/** How a person wants a run processed again. Undefined: as requested before. */
export interface Again {
  /** The present products stay until the new ones are there. */
  keep?: boolean;
  /** It is processed again as a whole. */
  isReprocessed?: true;
  /** Null: where there is a place. */
  on?: ExecutorName | null;
}

/** The event builder's part of the run document (reference, section 1.4), with our extra fields. */
export interface BootstraxFields {
  state: RunState | null;
  host: string | null;
  /** Last write, by the server's clock. */
  time: Date | null;
  startedProcessing: Date | null;
  reason: string | null;
  /** Counted failures; 0 where the document has none. */
  failures: number;
  /**
   * Which of the failures (numbered from 1) a person asked for: they drop no targets.
   * Absent: none.
   */
  askedFailures?: readonly number[];
  nextRetry: Date | null;
  /** Id of the attempt that holds the run; absent once it is concluded. */
  attempt: string | null;
  /** How the last attempt ended: tells requeued, set aside and given up apart, all `failed`. */
  outcome: OutcomeName | null;
  /** Uncounted events in a row (host, disk, database, operator, manager). */
  uncounted: number;
  /** How many of the uncounted events lost the run together with its holder. */
  holdersLost: number;
  /** A person wants the present products kept until the new ones are there; absent: no. */
  keepProducts?: true;
  /** A person has had it processed again. */
  isReprocessed?: true;
  /** Where a person wants it processed; absent: where there is a place. */
  wantedOn?: ExecutorName;
  /** What a claimed run waits for, as its holder says; absent: nothing. */
  waitsFor?: string;
}

export const OUTCOMES = [
  'done',
  'failed',
  'requeued',
  'set_aside',
  'given_up',
  'abandoned',
] as const;
export type OutcomeName = (typeof OUTCOMES)[number];

export interface DataEntry {
  type: string;
  host: string;
  location: string | null;
}

/** A run that can be processed: the checked fields that decisions read. */
export interface Run {
  number: number;
  /** Six digits, zero-padded. */
  runId: string;
  mode: string;
  detectors: readonly string[];
  start: Date;
  end: Date | null;
  status: string | null;
  tags: readonly string[];
  bootstrax: BootstraxFields;
  data: readonly DataEntry[];
  /** Where the live data of this run lies, as the document says; null once it is deleted. */
  liveLocation: string | null;
  daq: {
    /** reader -> number of threads */
    threads: Readonly<Record<string, number>>;
    chunkSeconds: number;
    overlapSeconds: number;
    fragmentBytes: number;
    compressor: string;
    /** Settings that the document lacks: the readers' defaults are assumed. */
    defaulted: readonly string[];
  };
  /** Sum over detectors of the maximal rate, MB/s; null until the DAQ has written it. */
  rateMBps: number | null;
  /** Faults of the document that stop nothing. */
  oddities: readonly FieldProblem[];
}

export interface FieldProblem {
  /** Dotted path in the run document. */
  field: string;
  problem: string;
}

/** For people: `end is not a date; status is not a string`. */
export function problemsText(problems: readonly FieldProblem[]): string {
  return problems.map(({ field, problem }) => `${field} ${problem}`).join('; ');
}

/** Notes a fault of a field and returns the value to use instead. */
export type FieldNote = <T>(field: string, problem: string, value: T) => T;

export interface FieldNotes {
  /** With this fault the run cannot be processed. */
  stop: FieldNote;
  /** The meaning is clear, or the field does not matter. */
  odd: FieldNote;
}

/** A run that cannot be processed until a person corrects its document. */
export interface MalformedRun {
  number: number | null;
  problems: readonly FieldProblem[];
  /** Further faults, which would stop nothing. */
  oddities: readonly FieldProblem[];
  bootstrax: BootstraxFields;
  tags: readonly string[];
}

export type ParsedRun = { kind: 'run'; run: Run } | { kind: 'malformed'; malformed: MalformedRun };
