import type { Holder } from './holder.pure.ts';

/** Result for a manager whose host's document names another manager. */
export type Displaced =
  | { kind: 'ours' }
  /** The other manager runs: this one ends, with this exit code. */
  | { kind: 'lost'; reason: string; exitCode: 0 | 2 };

/** The lock on a host's name. Its holder is the manager that the host's document names. */
export interface HostNameLock {
  readonly holder: Holder;
  /**
   * Makes this the manager that the document names; false if `signal` is aborted meanwhile. An earlier
   * manager on this machine is stopped. Throws a `ManagerRefused` if another one cannot be stopped.
   */
  take(signal: AbortSignal): Promise<boolean>;
  /** Decides between this manager and the other one that the document now names. */
  displaced(signal: AbortSignal): Promise<Displaced>;
}
