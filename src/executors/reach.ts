import type { Started } from '../attempt/attempt.pure.ts';
import type { AttemptMemory } from '../host/memory.pure.ts';
import type { ProcessIdentity } from '../infra/linux/process-identity.pure.ts';

/** Where the processes of an attempt are; for people and logs. */
export type Where =
  | {
      executor: 'local';
      /** Null as long as it is not known. */
      guardian: ProcessIdentity | null;
    }
  | {
      executor: 'slurm';
      cluster: string;
      job: string | null;
      node: string | null;
      /** In Slurm's words. */
      state: string | null;
      reason: string | null;
    };

/**
 * What is known of an attempt's processes. `waiting`: none has begun, and one still may; `running`:
 * one lives; `gone`: none lives, and none will begin; `unknown`: nobody can tell now, so that nothing
 * may be concluded from it.
 */
export type Life = 'waiting' | 'running' | 'gone' | 'unknown';

/** Whether the processes are known to have ended; else what is left, for people. */
export type ReachEnd = { kind: 'ended' } | { kind: 'unconfirmed'; left: string };

/** The arm to the processes of one attempt, wherever they are. Nobody else knows how they are found. */
export interface Reach {
  readonly where: Where;
  /** The last that is known; never waits for anything. */
  life(): Life;
  /** `started.json` has been read: who the processes are is known from now on. */
  begun(started: Started): void;
  /**
   * Ends all processes: asked to first, so that the guardian can write `exit.json`, and killed after
   * `graceSeconds`. Safe to repeat, also when none runs.
   */
  end(graceSeconds: number): Promise<ReachEnd>;
  /**
   * Keeps in the attempt's directory what it is doing; answers where its Python threads are, or null.
   * Never throws, and never takes much longer than `patienceSeconds`.
   */
  evidence(patienceSeconds: number): Promise<string | null>;
  /**
   * What it uses now: at least that, and exactly that near its limit. `shareBytes` is the limit of an
   * attempt on the manager's machine. Null: it cannot be measured.
   */
  memory(shareBytes: number): Promise<AttemptMemory | null>;
  /** Removes shared memory that the processes have left behind; answers the names. After their end only. */
  clean(): Promise<string[]>;
}
