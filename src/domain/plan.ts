import type { Plan, PluginGraph, Processor } from './attempt.ts';
import type { Rules, Shedding } from './rules.ts';
import type { FieldProblem, ParsedRun, Run } from './run.ts';
import type { Culprit, HostTargets } from './targets.ts';

export interface DecisionInputs {
  rules: Rules;
  /** Name of the resource table of this host. */
  hostTable: string;
  shedding: Shedding;
  graph: PluginGraph | null;
  culprits: readonly Culprit[];
  hostTargets: HostTargets | null;
  /** Found in the DAQ's status while the run is taken; the document's own rate goes first. MB/s. */
  rateMBps: number | null;
}

export interface PlanInputs extends DecisionInputs {
  attempt: string;
  host: string;
  context: string;
  contextOptions: Record<string, unknown>;
  processor: Processor;
  /** Directories below which this host sees live data. */
  liveDataRoots: readonly string[];
  outputDirectory: string;
}

export interface PlanDecisions {
  kind: 'decided';
  targets: string[];
  postProcessing: string[];
  wanted: string[];
  dropped: string[];
  cores: number;
  maxMessages: number;
  timeoutSeconds: number;
  recordsCompressor: 'lz4' | 'zstd';
  reasons: string[];
}

export type NoPlan =
  /** Set the run aside. */
  | { kind: 'malformed'; problems: readonly FieldProblem[] }
  /** Nothing is counted; the host should stop claiming until it is mended. */
  | { kind: 'host_problem'; reason: string }
  /** A counted failure of the run. */
  | { kind: 'run_problem'; reason: string };

/** What `bootstrax plan` shows: needs no directories, no database and no Python. */
export declare function decidePlan(run: Run, inputs: DecisionInputs): PlanDecisions | NoPlan;

export declare function makePlan(
  run: Run,
  inputs: PlanInputs,
): { kind: 'plan'; plan: Plan; wanted: string[] } | NoPlan;

/** The contract's line of `bootstrax plan --json`. */
export type PlanLine =
  | {
      run: number;
      targets: string[];
      postProcessing: string[];
      cores: number;
      maxMessages: number;
      timeoutSeconds: number;
      recordsCompressor: 'lz4' | 'zstd';
      reasons: string[];
    }
  | { run: number | null; malformed: FieldProblem[] };

/** `failures`: instead of the document's own count. */
export declare function planLine(
  parsed: ParsedRun,
  inputs: DecisionInputs,
  failures: number | null,
): PlanLine;

/** The run's directory of live data; nothing outside the roots is ever read. */
export declare function resolveLiveDirectory(
  run: Run,
  roots: readonly string[],
): { kind: 'directory'; path: string } | NoPlan;
