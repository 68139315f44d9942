import type { ExecutorName } from '../executors/executor-name.pure.ts';
import type { Reach } from '../executors/reach.ts';
import type { Fence, ProgressSummary } from '../run/run.port.ts';
import type { Run } from '../run/run.pure.ts';
import type { RunDocument } from '../run/run-document.port.ts';
import type { Plan, Progress } from './attempt.pure.ts';
import type { AttemptPhase } from './attempt-phases.pure.ts';
import type { Ended } from './outcome.pure.ts';

/** An attempt that this manager works on, as the rest of it sees it. */
export interface Runner {
  readonly fence: Fence;
  readonly run: Run;
  /** Where it runs, or waits to. */
  readonly on: ExecutorName;
  /** It makes up for what a done run lacks, and gives way to every other. */
  readonly ofDebt: boolean;
  readonly plan: Plan | null;
  readonly phase: AttemptPhase;
  readonly progress: Progress | null;
  /** To its processes; null before there are any. */
  readonly reach: Reach | null;
  /** It is to end, or at its end, already. */
  readonly ending: boolean;
  /** Ends the attempt for a cause; its child too. */
  end(cause: Ended): void;
  /** Something about the run's document has changed: look whether it is still ours. */
  look(): Promise<void>;
  /** The same with a document that is read together with others: call it before, and its answer after. */
  reading(): (document: RunDocument | null) => void;
  progressSummary(): ProgressSummary | null;
  /**
   * The manager has been told to end: without a child the run goes back to the queue. True if nothing
   * is left to be done for it; false if a child goes on, or `signal` ended the waiting.
   */
  giveBack(signal: AbortSignal): Promise<boolean>;
}
