import type { ParsedRun } from '../run/run.pure.ts';
import {
  type Circumstances,
  claimDecision,
  type HostFacts,
  orderCandidates,
} from './claim.pure.ts';

export interface NextRuns {
  runs: { run: number; why: string }[];
  passedOver: { run: number | null; why: string }[];
}

/**
 * The runs that this host would claim, in order, and why it passes over the other candidates. Each new
 * run makes the queue shorter for the next decision, as in a real round.
 */
export function nextRuns(
  candidates: readonly ParsedRun[],
  host: HostFacts,
  { fleet, rules, now }: Circumstances,
): NextRuns {
  const next: NextRuns = { runs: [], passedOver: [] };
  const ordered = orderCandidates(
    candidates.map((parsed) => ({ parsed })),
    rules,
    now,
  );
  let { queueLength } = fleet;
  for (const { parsed } of ordered) {
    const decision = claimDecision(parsed, host, { fleet: { ...fleet, queueLength }, rules, now });
    if (decision.kind === 'claim' && parsed.kind === 'run') {
      if (decision.purpose === 'new') queueLength -= 1;
      next.runs.push({ run: parsed.run.number, why: decision.why });
    } else {
      const run = parsed.kind === 'run' ? parsed.run.number : parsed.malformed.number;
      next.passedOver.push({ run, why: decision.why });
    }
  }
  return next;
}
