import type { ProcessIdentity } from '../../infra/linux/process-identity.pure.ts';
import type { PluginGraph } from '../attempt.pure.ts';

export type ForkServerState =
  /** Building and warming the context, since then (monotonic, ms); requests wait. */
  | { kind: 'starting'; sinceMs: number }
  /** Attempts are forked; `seconds` it took to get there; `kept`: from an earlier manager. */
  | { kind: 'warm'; seconds: number; kept: boolean }
  /** Attempts start as processes of their own, and why. */
  | { kind: 'cold'; why: string }
  /** Nothing can be started here; tried again by itself after `retrySeconds`. */
  | { kind: 'failed'; summary: string; retrySeconds: number }
  | { kind: 'closed' };

/** What the server tells unasked. */
export interface ForkServerListener {
  onState?: (state: ForkServerState) => void;
  onGraph?: (graph: PluginGraph) => void;
  /** A hint that `exit.json` of this attempt is there. */
  onEnded?: (attempt: string) => void;
  /** Something a person should read in the manager's log. */
  onNote?: (note: string) => void;
}

/** An attempt that was started. */
export interface Forked {
  guardian: ProcessIdentity;
  warm: boolean;
  /** Why it started cold, if it did. */
  why: string | null;
}

/** The worker did not start the attempt, and never will. */
export class NotStartedError extends Error {
  override name = 'NotStartedError';
}

/** The server ended between request and answer: the attempt may or may not have been started. */
export class UnansweredError extends Error {
  override name = 'UnansweredError';
}
