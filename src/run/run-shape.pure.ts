/** States of `bootstrax.state` (reference, section 2.1); null or absent means untouched. */
export const RUN_STATES = ['considering', 'busy', 'done', 'failed', 'abandoned'] as const;
export type RunState = (typeof RUN_STATES)[number];

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
   * Of these, by number from 1, the ones that a person asked for: no plugin is left out for them.
   * Absent: none.
   */
  askedFailures?: readonly number[];
  nextRetry: Date | null;
  /** Id of the attempt that owns the run; absent once it is concluded. */
  attempt: string | null;
  /** How the last attempt ended: tells requeued, set aside and given up apart, all `failed`. */
  outcome: OutcomeName | null;
  /** Uncounted events in a row (host, disk, database, operator, manager). */
  uncounted: number;
  /** Of these, how often the run vanished together with its holder. */
  holdersLost: number;
  /** A person wants its products of now kept until the new ones are there; absent: no. */
  keepProducts?: true;
  /** What keeps a claimed run from being begun, as its holder says; absent: nothing. */
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

/** A run document that can be processed: what the decisions read of it, checked. */
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
  /** What is not as it should be and stops nothing. */
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

/** Notes something about a field and returns the value to go on with. */
export type FieldNote = <T>(field: string, problem: string, value: T) => T;

export interface FieldNotes {
  /** Nobody can process the run. */
  stop: FieldNote;
  /** It is clear what was meant, or it does not matter. */
  odd: FieldNote;
}

/** A document that nobody can process until a person mends it. */
export interface MalformedRun {
  number: number | null;
  problems: readonly FieldProblem[];
  /** What is not as it should be besides and would stop nothing. */
  oddities: readonly FieldProblem[];
  bootstrax: BootstraxFields;
  tags: readonly string[];
}

export type ParsedRun = { kind: 'run'; run: Run } | { kind: 'malformed'; malformed: MalformedRun };
