import { dirname, resolve } from 'node:path';

import { jobFor, withoutGrowing } from '../../plan/job-of-run.ts';
import { makePlan } from '../../plan/plan.pure.ts';
import { hostTargetsFor, locationsOn, type PlanFor, planInputsOf } from '../../plan/prepare.ts';
import type { Environment } from '../../ports/environment.ts';
import { untilAnswered } from '../../ports/persist.ts';
import { learnedFrom } from '../../retry/learned-history.pure.ts';
import type { Run } from '../../run/run.pure.ts';
import type { Plan } from '../attempt.pure.ts';

const ATTEMPTS_LOOKED_AT = 50;

export type DebtPlan =
  { kind: 'plan'; plan: Plan } | { kind: 'none'; reason: string } | { kind: 'stopped' };

/**
 * A plan with all targets for a run that is done without some: as for a new run, but with what was
 * learned of its want of memory. What is there stays, and is read instead of made again.
 */
export async function planDebt(
  env: Environment,
  run: Run,
  { fence, to }: PlanFor,
  signal: AbortSignal,
): Promise<DebtPlan> {
  const history = await untilAnswered(env, `history of run ${run.number}`, signal, () =>
    env.store.attempts.ofRun(run.number, ATTEMPTS_LOOKED_AT),
  );
  const hostTargets = await hostTargetsFor(env, run, signal);
  if (history === null || signal.aborted) return { kind: 'stopped' };
  const { memoryFailures } = learnedFrom(withoutGrowing(env, to, history), run.bootstrax.failures);
  // Without live data the reader has nothing to read, and need not, if its data is there.
  const liveLocation = run.liveLocation ?? env.liveDataRoots[0] ?? null;
  const fresh: Run = { ...run, liveLocation, bootstrax: { ...run.bootstrax, failures: 0 } };
  const made = makePlan(fresh, {
    ...planInputsOf(env, { fence, to }),
    job: jobFor(env, { run: fresh, to, rateMBps: run.rateMBps, history }),
    culprits: [],
    memoryFailures,
    hostTargets,
    rateMBps: run.rateMBps,
  });
  switch (made.kind) {
    case 'plan': {
      const keep = locationsOn(env.host, run).map((location) => resolve(location));
      const output = resolve(made.plan.outputDirectory);
      const elsewhere = keep.filter((location) => dirname(location) !== output);
      if (elsewhere.length > 0) {
        const reason = `it lists data that does not lie directly in ${output}, where it would be read: ${elsewhere.join(', ')}. Move it there and correct its entries`;
        return { kind: 'none', reason };
      }
      return { kind: 'plan', plan: { ...made.plan, keep } };
    }
    case 'malformed': {
      const named = made.problems.map(({ field, problem }) => `${field}: ${problem}`);
      return { kind: 'none', reason: `its document is malformed: ${named.join('; ')}` };
    }
    case 'host_problem':
    case 'run_problem':
      return { kind: 'none', reason: made.reason };
  }
}
