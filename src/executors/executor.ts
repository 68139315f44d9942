import type { Plan } from '../attempt/attempt.pure.ts';
import type { AttemptFiles } from '../attempt/files/attempt-directory.ts';
import type { ClusterFacts } from './cluster-facts.pure.ts';
import type { Places } from './free-places.pure.ts';
import type { Reach } from './reach.ts';

/** Whether attempts can be started here; what is wrong is this host's, never a run's. */
export type Readiness = { ok: true } | { ok: false; reason: string };

/** What has become of a start. */
export type StartAnswer =
  | {
      kind: 'started';
      reach: Reach;
      /** One of its processes has begun; false: they wait for a place. */
      begun: boolean;
      /** Forked from a warm parent, or a process that imports everything itself. */
      warm: boolean;
      /** Why it started cold, if it did. */
      why: string | null;
    }
  /** No process of the attempt runs or will do any work; the run itself was not at fault. */
  | { kind: 'refused'; reason: string }
  /** It may run, or begin later: `find` tells. */
  | { kind: 'unknown'; reason: string };

/** By which an attempt is found again. */
export type AttemptTrace = Pick<AttemptFiles, 'id' | 'directory' | 'started'>;

/** A place where attempts run. */
export interface Executor {
  readonly name: string;
  /** What was started is found after this long at the latest, seconds: else it was not started. */
  readonly foundWithinSeconds: number;
  /** Starts the attempt whose `plan.json` lies in `directory`. */
  start(plan: Plan, directory: string): Promise<StartAnswer>;
  /**
   * The arm to an attempt that was started before, by whichever manager, also if it is over. Null:
   * nothing is known of it, see `foundWithinSeconds`.
   */
  find(trace: AttemptTrace): Promise<Reach | null>;
  /** With `taken` attempts of this manager there already. */
  places(taken: number): Places;
  /** True also while the worker still warms up, unless that takes too long: runs wait for it. */
  ready(): Readiness;
  /** Whether a start would not have to wait for a worker that still warms up. */
  startsAtOnce(): boolean;
  /** Calls `listener` each time the worker's state has changed; answers how to stop that. */
  onChange(listener: () => void): () => void;
  /** Version of each package that makes the data; empty until the worker has reported them. */
  versions(): Readonly<Record<string, string>>;
  /** Whether its processes see this path as this host does; null: nobody knows yet. */
  sees(path: string): boolean | null;
  /** Machines that the next attempt at this run must not use. */
  avoids(run: number): readonly string[];
  /** How it is, if it is a cluster. */
  facts(): ClusterFacts | null;
  /** One sentence for people. */
  describe(): string;
}
