import type { Plan } from '../attempt/attempt.pure.ts';
import type { ProcessIdentity } from '../infra/linux/process-identity.pure.ts';

/** Whether attempts can be started here; what is wrong is this host's, never a run's. */
export type Readiness = { ok: true } | { ok: false; reason: string };

/** An attempt that runs now. */
export interface Start {
  guardian: ProcessIdentity;
  /** Forked from a warm parent, or a process that imports everything itself. */
  warm: boolean;
  /** Why it started cold, if it did. */
  why: string | null;
}

/** A place where attempts run. */
export interface Executor {
  /**
   * Starts the attempt whose `plan.json` lies in `directory`. A rejection means that no process of
   * this attempt runs or will do any work; the run itself was not at fault.
   */
  start(plan: Plan, directory: string): Promise<Start>;
  /** True also while the worker still warms up, unless that takes too long: runs wait for it. */
  ready(): Readiness;
  /** Whether a start would not have to wait for a worker that still warms up. */
  startsAtOnce(): boolean;
  /** Calls `listener` each time the worker's state has changed; answers how to stop that. */
  onChange(listener: () => void): () => void;
  /** Version of each package that makes the data; empty until the worker has reported them. */
  versions(): Readonly<Record<string, string>>;
  /** One sentence for people. */
  describe(): string;
}
