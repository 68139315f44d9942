import type { Started } from '../attempt/attempt.pure.ts';
import type { AttemptMemory } from '../host/memory.pure.ts';
import type { Life, Verdict, Where } from './reach.pure.ts';

export type { Life, Verdict, Where } from './reach.pure.ts';

/** Whether the processes are known to have ended; else what is left, for people. */
export type ReachEnd = { kind: 'ended' } | { kind: 'unconfirmed'; left: string };

/** The arm to the processes of one attempt, wherever they are. Nobody else knows how they are found. */
export interface Reach {
  readonly where: Where;
  /** The last that is known; never waits for anything. */
  life(): Life;
  /** Brings what is known up to date, where that takes reading. */
  refresh(): Promise<void>;
  /** Why its processes ended or will never begin, as the executor has it; null: it does not know. */
  verdict(): Verdict | null;
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
  /** Removes the shared memory of processes that have ended; answers the names. */
  clean(): Promise<string[]>;
}
