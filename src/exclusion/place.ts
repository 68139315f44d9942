import type { Holder } from './holder.pure.ts';

/** What became of a manager whose host's document names another one. */
export type Displaced =
  | { kind: 'ours' }
  /** The other one lives: this one ends, with this exit code. */
  | { kind: 'lost'; reason: string; exitCode: 0 | 2 };

/** A host's name, which one manager holds at a time: the one that the host's document names. */
export interface ManagerPlace {
  readonly holder: Holder;
  /**
   * Becomes the manager that the document names; false if told to end meanwhile. An elder on this
   * machine is ended. Throws a `ManagerRefused` if another one lives where it cannot be ended.
   */
  enter(signal: AbortSignal): Promise<boolean>;
  /** The document has been found to name another manager. */
  displaced(signal: AbortSignal): Promise<Displaced>;
}
