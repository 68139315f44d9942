import { resolve } from 'node:path';

import type { Environment } from '../../ports/environment.ts';
import type { Plan, Result } from '../attempt.pure.ts';
import type { Remover } from '../files/ownership.pure.ts';
import { describeProblem, sameAsResult } from '../files/products.ts';
import { makingRoom, type Removed, removeProducts, takingBack } from '../files/removal.ts';
import type { Verification } from '../outcome.pure.ts';
import { inspectMade } from '../verify.ts';

/**
 * Removes what the attempt has added, or before it what others have left beside what is kept;
 * answers the paths removed, and what stays that is not kept. Null if `signal` ended the waiting.
 */
export async function clearAdded(
  env: Environment,
  plan: Plan,
  purpose: Remover['purpose'],
  signal: AbortSignal,
): Promise<Removed | null> {
  const kept = new Set((plan.keep ?? []).map((location) => resolve(location)));
  const removal = purpose === 'take_back' ? takingBack(env, plan) : makingRoom(env, plan);
  const answer = await removeProducts(env, removal, signal);
  if (answer === null) return null;
  return { ...answer, left: answer.left.filter(({ location }) => !kept.has(location)) };
}

/** What was added is whole, and what was there before still is. */
export async function verifyAdded(
  env: Environment,
  plan: Plan,
  result: Result,
): Promise<Verification> {
  const inspection = await env.products.inspect(plan.outputDirectory, plan.runId);
  const added = plan.place == null ? inspection : await inspectMade(env, plan, result);
  const made = new Set(result.products.map(({ location }) => location));
  const keep = new Set(plan.keep ?? []);
  const products = [
    ...inspection.products.filter(({ location }) => keep.has(location)),
    ...added.products.filter(({ location }) => made.has(location) && !keep.has(location)),
  ];
  const there = new Set(products.map(({ location }) => location));
  const gone = (plan.keep ?? []).filter((location) => !there.has(location));
  if (gone.length > 0) return { kind: 'not_saved', locations: gone };
  const problems = [
    ...sameAsResult(result.products, { ...added, products }),
    ...products.flatMap(({ problems: found }) => found.map(describeProblem)),
  ];
  return problems.length > 0 ? { kind: 'bad', problem: problems.join('\n') } : { kind: 'ok' };
}
