import type { AppliedRule, FleetFacts, HostFacts, Verdict } from './claim.ts';
import type { Rules } from './rules.ts';
import type { ParsedRun } from './run.ts';

export interface Explanation {
  run: number | null;
  state: string | null;
  verdict: Verdict;
  rules: AppliedRule[];
  /** `at`: ISO 8601, UTC. */
  next: { what: string; at: string | null; who: string | null } | null;
  commands: string[];
}

/** The contract's object of `bootstrax explain N --json`, as seen from one host. */
export declare function explain(
  parsed: ParsedRun,
  host: HostFacts,
  fleet: FleetFacts,
  rules: Rules,
  now: Date,
): Explanation;
