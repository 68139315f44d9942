import type { Rules } from './rules.ts';
import type { FieldProblem, ParsedRun } from './run.ts';

/** primary: takes any run; backup: helps when needed; never: only veto runs and retries (2.2, 3.3). */
export type HostRole = 'primary' | 'backup' | 'never';

export interface HostFacts {
  host: string;
  role: HostRole;
  /** Whether this host would take a run now (context, disk, database); the reason is one sentence. */
  accepting: { ok: true } | { ok: false; reason: string };
}

export interface FleetFacts {
  /** Runs with state null, held ones not counted. */
  queueLength: number;
  /** Primary hosts with a recent life sign that would claim. */
  livePrimaries: number;
}

export type Verdict =
  'eligible' | 'waiting' | 'running' | 'held' | 'finished' | 'givenUp' | 'abandoned' | 'malformed';

/** One rule as it was applied, for `explain`. */
export interface AppliedRule {
  rule: string;
  value: string;
  holds: boolean;
}

export type ClaimDecision =
  | { kind: 'claim'; purpose: 'new' | 'retry'; why: string }
  /** The document is malformed and nobody has said so yet: write `set_aside` with these problems. */
  | { kind: 'set_aside'; why: string; problems: readonly FieldProblem[] }
  /** `until`: when time alone may change the answer. */
  | { kind: 'pass'; verdict: Exclude<Verdict, 'eligible'>; why: string; until: Date | null };

/** May this host take this run now? */
export declare function claimDecision(
  parsed: ParsedRun,
  host: HostFacts,
  fleet: FleetFacts,
  rules: Rules,
  now: Date,
): ClaimDecision;

/** Candidates in the order in which they are to be tried; the input is not changed. */
export declare function orderCandidates<T extends { parsed: ParsedRun }>(
  candidates: readonly T[],
  rules: Rules,
  now: Date,
): T[];
