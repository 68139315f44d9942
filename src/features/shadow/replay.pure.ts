import { claimDecision, type HostFacts } from '../../claim/claim.pure.ts';
import { counted } from '../../infra/values/counted.pure.ts';
import { decidePlan, type DecisionInputs } from '../../plan/plan.pure.ts';
import { countedConclusion } from '../../retry/backoff.pure.ts';
import type { ParsedRun, Run } from '../../run/run.pure.ts';
import { type Change, changesBetween } from './compare.pure.ts';

/** The decisions that are compared between two configurations, in the order of the table. */
export const REPLAYED = [
  'taken',
  'targets',
  'postProcessing',
  'cores',
  'maxMessages',
  'timeoutSeconds',
  'recordsCompressor',
  'afterAFailure',
  'problem',
] as const;
export type Replayed = (typeof REPLAYED)[number];

export interface Configuration {
  host: HostFacts;
  decisions: DecisionInputs;
}

export interface ReplayedRun {
  run: number;
  /** The differences from the other configuration to the tried one. */
  changes: Change<Replayed>[];
}

/**
 * Compares decision by decision what two configurations make of a run. The run is judged as it was when
 * it was new, or at its last failure; `failures` replaces its own count. `now`: any time after the run.
 */
export function replayRun(
  run: Run,
  { other, tried }: { other: Configuration; tried: Configuration },
  failures: number | null,
  now: Date,
): ReplayedRun {
  const again = {
    ...run,
    bootstrax: { ...run.bootstrax, failures: failures ?? run.bootstrax.failures },
  };
  return {
    run: run.number,
    changes: changesBetween(decide(again, other, now), decide(again, tried, now), REPLAYED),
  };
}

function decide(
  run: Run,
  { host, decisions }: Configuration,
  now: Date,
): Partial<Record<Replayed, unknown>> {
  const { rules } = decisions;
  const failure = countedConclusion(run.bootstrax.failures, 0.5, rules.retry);
  const base = {
    taken: whenTaken(run, host, decisions, now),
    afterAFailure:
      failure.kind === 'given_up'
        ? 'given up'
        : `tried again after ${Math.round(failure.delaySeconds)} s`,
  };
  const plan = decidePlan(run, decisions);
  switch (plan.kind) {
    case 'decided': {
      const { targets, postProcessing, cores, maxMessages, timeoutSeconds } = plan;
      const { recordsCompressor } = plan;
      return {
        ...base,
        ...{ targets, postProcessing, cores, maxMessages, timeoutSeconds, recordsCompressor },
      };
    }
    case 'malformed':
      return {
        ...base,
        problem: plan.problems.map(({ field, problem }) => `${field} ${problem}`).join('; '),
      };
    case 'host_problem':
      return { ...base, problem: plan.reason };
  }
}

/** Whether this host takes such a new run: always, when needed, or never. */
function whenTaken(run: Run, host: HostFacts, { rules }: DecisionInputs, now: Date): string {
  const fresh: ParsedRun = {
    kind: 'run',
    run: { ...run, bootstrax: { ...run.bootstrax, state: null } },
  };
  const decision = claimDecision(fresh, host, {
    fleet: { queueLength: 0, livePrimaries: 1 },
    rules,
    now,
  });
  if (decision.kind === 'claim') return 'always';
  const alone = { queueLength: 0, livePrimaries: 0 };
  if (claimDecision(fresh, host, { fleet: alone, rules, now }).kind === 'claim') {
    return `when no primary host lives or more than ${counted(rules.claim.backupQueueLength, 'run')} wait`;
  }
  return `never: ${decision.why}`;
}
