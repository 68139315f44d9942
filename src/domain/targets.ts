import type { PluginGraph } from './attempt.ts';
import type { Shedding, TargetRules } from './rules.ts';
import type { FieldProblem } from './run.ts';

/** A data type whose plugin a counted failure named. */
export interface Culprit {
  type: string;
  /** The run's count of failures including that one: 1 for the first. */
  failures: number;
}

/** Targets that the DAQ's configuration gives this host for a mode (reference, section 1.9). */
export interface HostTargets {
  targets: readonly string[];
  postProcessing: readonly string[];
}

export interface TargetInputs {
  mode: string;
  detectors: readonly string[];
  /** Counted failures before this attempt: the rung. */
  failures: number;
  shedding: Shedding;
  /** null: not reported yet; graded shedding then falls back to the reference's lists. */
  graph: PluginGraph | null;
  culprits: readonly Culprit[];
  hostTargets: HostTargets | null;
}

export type TargetSelection =
  | {
      kind: 'targets';
      targets: string[];
      postProcessing: string[];
      /** What the run would get without failures. */
      wanted: string[];
      /** Wanted but not asked for: the debt. */
      dropped: string[];
      reasons: string[];
    }
  /** The run document asks for what the context cannot make. */
  | { kind: 'malformed'; problems: FieldProblem[] }
  /** The host's configuration does: no run's fault. */
  | { kind: 'host_problem'; reason: string };

export declare function selectTargets(inputs: TargetInputs, rules: TargetRules): TargetSelection;

/** Configured default targets that the context does not know: such a host should claim nothing. */
export declare function unknownDefaultTargets(rules: TargetRules, graph: PluginGraph): string[];
