import { basename, join } from 'node:path';

import { locationsOn } from '../plan/prepare.ts';
import type { Environment } from '../ports/environment.ts';
import type { Run } from '../run/run.pure.ts';
import type { Plan, Product, Result } from './attempt.pure.ts';
import { describeProblem, type Inspection, sameAsResult } from './files/products.ts';
import { type Verification, verifyProducts } from './outcome.pure.ts';

/**
 * Checks after the end (reference, section 4.7), on what lies on the disk and not only on what the
 * child says: metadata readable, every chunk present and not empty, coverage from start to end, and
 * all that the run document lists of this host there.
 */
export async function verify(
  env: Environment,
  run: Run,
  plan: Plan,
  result: Result,
): Promise<Verification> {
  const inspection = await inspectMade(env, plan, result);
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
  const verification = verifyProducts(products, run, env.rules);
  if (verification.kind !== 'ok') return verification;
  const onDisk = new Set(inspection.products.map(({ location }) => location));
  const missing = await missingOf(env, run, onDisk);
  return missing.length === 0 ? { kind: 'ok' } : { kind: 'not_saved', locations: missing };
}

/**
 * What an attempt has made as it lies in its place: from the output folder is what has gone there
 * already, where an earlier manager was cut while it published.
 */
export async function inspectMade(
  env: Environment,
  { place, outputDirectory, runId }: Plan,
  result: Result,
): Promise<Inspection> {
  if (place == null) return env.products.inspect(outputDirectory, runId);
  const inspection = await env.products.inspect(place, runId);
  const here = new Set(inspection.products.map(({ location }) => location));
  const away = new Set(
    result.products.map(({ location }) => location).filter((at) => !here.has(at)),
  );
  if (away.size === 0) return inspection;
  const { products } = await env.products.inspect(outputDirectory, runId);
  const published = products.flatMap((found) => {
    const location = join(place, basename(found.location));
    if (!away.has(location)) return [];
    const product = found.product === null ? null : { ...found.product, location };
    return [{ ...found, location, product }];
  });
  return { ...inspection, products: [...inspection.products, ...published] };
}

/** Folders of this host that the run document lists and that are not there. */
async function missingOf(
  env: Environment,
  run: Run,
  onDisk: ReadonlySet<string>,
): Promise<string[]> {
  const missing: string[] = [];
  for (const location of locationsOn(env.host, run)) {
    if (!onDisk.has(location) && !(await env.machine.isFolder(location))) missing.push(location);
  }
  return missing;
}
