import type { Where } from '../executors/reach.ts';
import type { Fenced, ProgressSummary } from '../run/run.port.ts';
import type { Run } from '../run/run.pure.ts';
import type { RunDocument } from '../run/run-document.port.ts';
import type { Folder, Plan, Progress, Result } from './attempt.pure.ts';
import type { AttemptKind } from './attempt-kind.ts';
import type { AttemptPhase, Trace } from './attempt-phases.pure.ts';
import type { AttemptTimes } from './attempt-times.pure.ts';
import type { AttemptFiles } from './files/attempt-directory.ts';
import type { Ended, Outcome, Verification } from './outcome.pure.ts';

/** Why an attempt does not go on; `ended` is null where it was told to end already. */
export type WayOut = { ended: Ended | null } | { outcome: Outcome };

/** What a policy sees of the attempt that it belongs to, and may do to it. */
export interface Life {
  readonly phase: AttemptPhase;
  readonly plan: Plan | null;
  readonly progress: Progress | null;
  enter(phase: AttemptPhase): void;
  /** Ends the attempt for a cause; its child too. */
  end(cause: Ended): void;
  /** Renews the claim now: what it says has changed. */
  renew(): Promise<void>;
  /** Until it is to end, or the manager ends. */
  readonly stopped: AbortSignal;
}

/** An attempt as its policy sees it: what it is now, and what only its own machine may do. */
export function lifeOf(
  attempt: Pick<Life, 'phase' | 'plan' | 'progress' | 'end'>,
  own: Pick<Life, 'enter' | 'renew' | 'stopped'>,
): Life {
  return {
    get phase() {
      return attempt.phase;
    },
    get plan() {
      return attempt.plan;
    },
    get progress() {
      return attempt.progress;
    },
    end: (cause) => attempt.end(cause),
    ...own,
  };
}

/** What is known of an attempt at its end; as much as it came to. */
export interface AttemptFigures {
  plan: Plan | null;
  /** With its products where they belong once they are published. */
  result: Result | null;
  progress: Progress | null;
  seconds: number;
  /** Null: nothing was measured. */
  peakMemoryBytes: number | null;
  /** What it has made is finished and was found to be whole. */
  isChecked: boolean;
  /** The traces that it may have left. */
  traces: readonly Trace[];
}

/**
 * What tells an attempt at a run from one at what a done run lacks: who holds it (fence), what of
 * the run stays (keep), and what its end means (conclude). All else is the machine's.
 */
export interface AttemptPolicy {
  readonly kind: AttemptKind;
  /** As its document was last read. */
  readonly run: Run;
  /** For the history, beside what is common to all. */
  record(): { ofDebt?: true; times?: AttemptTimes };
  /** From the claim to a plan. */
  prepare(): Promise<{ plan: Plan } | WayOut>;
  /** Makes room for what the attempt will write; nothing of its own is on disk yet but its directory. */
  makeRoom(plan: Plan): Promise<WayOut | null>;
  /** The last step before a child is asked for: the run says that it is being processed. */
  begin(plan: Plan): Promise<WayOut | null>;
  /** The run says already that it is being processed. */
  readonly isBegun: boolean;
  /** What it is to run as waits for a place there. */
  awaitsPlace(where: Where): Promise<void>;
  /** The child runs, for people. */
  started(plan: Plan, start: { warm: boolean; why: string | null }): void;
  /** An attempt of an earlier manager is gone on with. */
  adopted(files: AttemptFiles & { plan: Plan }): void;
  onFolder(folder: Folder): void;
  /** Since the end of the run; null while it is taken, or if that is not known. */
  sinceEndSeconds(): number | null;
  /** Reads the document: is it still ours? Ends the attempt if not, or if a person wants that. */
  read(): Promise<void>;
  /** The same with a document that is being read together with others: call it before, and its answer after. */
  reading(): (document: RunDocument | null) => void;
  /** Renews the claim. Throws when the database is away. */
  renew(): Promise<void>;
  /** Checks what a finished child has made; `nextRead` waits until the document was read again. */
  check(plan: Plan, result: Result, waits: CheckWaits): Promise<Verification>;
  /**
   * Publishes, writes what the attempt has come to, and cleans up; waits as long as the database is
   * away. False if `signal` ended the waiting.
   */
  conclude(figures: AttemptFigures, outcome: Outcome, signal: AbortSignal): Promise<boolean>;
  /** As the run document shows it; null before the child's first line. */
  progressSummary(): ProgressSummary | null;
}

export interface CheckWaits {
  /** Until the document has been read again; false if it could not be. */
  nextRead: () => Promise<boolean>;
  /** Nobody waits for the answer any more. */
  stopped: () => boolean;
}

/** What the conclusion needs of the life of its attempt. */
export interface ConcludingSteps {
  /** The manager ends: the next one goes on. */
  signal: AbortSignal;
  enter: (phase: 'publishing' | 'concluding' | 'taking_back') => void;
  /** Sees, by a fenced write, that the run is still this attempt's. */
  mark: () => Promise<Fenced>;
}
