import type { Exit, Product, Result } from './attempt.ts';
import type { LimitRules } from './rules.ts';
import type { Run } from './run.ts';

/** Why the manager ended an attempt. */
export type Ended =
  | { kind: 'timed_out'; which: 'processing' | 'after_end' }
  | { kind: 'no_progress' }
  | { kind: 'host_problem'; reason: string }
  | { kind: 'operator'; reason: string }
  | { kind: 'superseded' }
  | { kind: 'manager'; reason: string };

/** How an attempt came to its end. */
export type ExitCause =
  | { kind: 'finished' }
  | {
      kind: 'strax_error';
      type: string;
      message: string;
      traceback: string;
      plugin: string | null;
      file: string | null;
    }
  | { kind: 'child_died'; code: number | null; signal: number | null }
  | { kind: 'out_of_memory'; traceback: string; plugin: string | null }
  /** Neither result nor exit: guardian and child went together, as in a power cut. */
  | { kind: 'vanished' }
  | { kind: 'orphaned' }
  | Ended;

export type Verification =
  | { kind: 'ok' }
  /** The DAQ has not written `end` yet: look again later. */
  | { kind: 'not_ended' }
  | { kind: 'bad'; problem: string };

export type Judgement =
  | { kind: 'done' }
  | {
      kind: 'failed';
      counted: boolean;
      /** One or more sentences for `bootstrax.reason`. */
      reason: string;
      traceback: string;
      /** Data type whose plugin is to be shed. */
      culprit: string | null;
      cause: ExitCause;
    }
  /** The run belongs to somebody else now: write nothing, clean up. */
  | { kind: 'superseded' };

export interface AttemptEnd {
  run: number;
  exit: Exit | null;
  result: Result | null;
  /** Why the manager ended it, if it did. */
  ended: Ended | null;
}

export declare function exitCause(end: AttemptEnd): ExitCause;

/** `verification` is looked at only if the attempt finished. */
export declare function judgeAttempt(end: AttemptEnd, verification: Verification): Judgement;

export declare function verifyProducts(
  products: readonly Product[],
  run: Run,
  limits: LimitRules,
): Verification;

/** What this host has seen of a foreign run, on its own monotonic clock, seconds. */
export interface Observation {
  state: 'considering' | 'busy';
  attempt: string | null;
  /** `bootstrax.time` in ms since 1970 as last seen; null where the document has none. */
  timeMs: number | null;
  /** Since when state, attempt and time have been seen unchanged. */
  unchangedSinceSeconds: number;
}

/** Takes a new look into account; `previous` null: the first look. */
export declare function observe(
  previous: Observation | null,
  seen: Omit<Observation, 'unchangedSinceSeconds'>,
  nowSeconds: number,
): Observation;

/** `connectedSinceSeconds`: since when the database has been reachable without a break. */
export declare function staleness(
  observation: Observation,
  connectedSinceSeconds: number,
  nowSeconds: number,
  limits: LimitRules,
): { kind: 'fresh'; staleInSeconds: number } | { kind: 'stale' };

/** `bootstrax.reason` (reference, section 1.4). */
export declare function reasonText(host: string, reason: string, traceback: string): string;
