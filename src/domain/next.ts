import type { FleetFacts, HostFacts } from './claim.ts';
import type { Rules } from './rules.ts';
import type { ParsedRun } from './run.ts';

export interface NextRuns {
  runs: { run: number; why: string }[];
  passedOver: { run: number | null; why: string }[];
}

/** The runs this host would take, in order, and why the other candidates are passed over. */
export declare function nextRuns(
  parsed: readonly ParsedRun[],
  host: HostFacts,
  fleet: FleetFacts,
  rules: Rules,
  now: Date,
): NextRuns;
