import { describeProblem, sameAsResult } from '../attempts/products.ts';
import type { Plan, Product, Result } from '../domain/attempt.ts';
import type { Run } from '../domain/run.ts';
import { verifyProducts, type Verification } from '../domain/verdict.ts';
import type { Environment } from './environment.ts';

/**
 * Checks after the end (reference, section 4.7), on what lies on the disk and not only on what the
 * child says: metadata readable, every chunk present and not empty, coverage from start to end.
 */
export async function verify(
  env: Environment,
  run: Run,
  plan: Plan,
  result: Result,
): Promise<Verification> {
  const inspection = await env.products.inspect(plan.outputDirectory, plan.runId);
  const made = new Set(result.products.map(({ location }) => location));
  const ours = inspection.products.filter(({ location }) => made.has(location));
  const problems = [
    ...sameAsResult(result.products, { ...inspection, products: ours }),
    ...ours.flatMap(({ problems: found }) => found.map(describeProblem)),
  ];
  if (problems.length > 0) return { kind: 'bad', problem: problems.join('\n') };
  const products = ours
    .map(({ product }) => product)
    .filter((product): product is Product => product !== null);
  return verifyProducts(products, run, env.rules);
}
