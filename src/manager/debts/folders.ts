import { resolve } from 'node:path';

import { describeProblem, sameAsResult } from '../../attempts/products.ts';
import type { Plan, Result } from '../../domain/attempt.ts';
import type { Verification } from '../../domain/verdict.ts';
import type { Environment } from '../environment.ts';

const UNFINISHED_SUFFIX = '_temp';

/**
 * Removes the run's folders but those that the attempt found and those listed; answers the paths.
 * A finished folder that stays keeps what strax has begun to write beside it, too.
 */
export async function clearAdded(
  env: Environment,
  plan: Plan,
  listed: readonly string[] = [],
): Promise<string[]> {
  const stays = new Set([...(plan.keep ?? []), ...listed].map((location) => resolve(location)));
  const { products, unfinished } = await env.products.inspect(plan.outputDirectory, plan.runId);
  const found = [
    ...products.map(({ location }) => location),
    ...unfinished.map((path) => path.slice(0, -UNFINISHED_SUFFIX.length)),
  ];
  const locations = [...new Set(found)].filter((location) => !stays.has(location));
  return env.products.clear(plan.outputDirectory, plan.runId, { locations });
}

/** What was added is whole, and what was there before still is. */
export async function verifyAdded(
  env: Environment,
  plan: Plan,
  result: Result,
): Promise<Verification> {
  const inspection = await env.products.inspect(plan.outputDirectory, plan.runId);
  const concerned = new Set([
    ...result.products.map(({ location }) => location),
    ...(plan.keep ?? []),
  ]);
  const products = inspection.products.filter(({ location }) => concerned.has(location));
  const there = new Set(products.map(({ location }) => location));
  const gone = (plan.keep ?? []).filter((location) => !there.has(location));
  if (gone.length > 0) return { kind: 'not_saved', locations: gone };
  const problems = [
    ...sameAsResult(result.products, { ...inspection, products }),
    ...products.flatMap(({ problems: found }) => found.map(describeProblem)),
  ];
  return problems.length > 0 ? { kind: 'bad', problem: problems.join('\n') } : { kind: 'ok' };
}
