import { basename, resolve } from 'node:path';

import type { Environment } from '../ports/environment.ts';
import type { Plan, Product } from './attempt.pure.ts';
import { type Removed, removeProducts, replacing } from './files/removal.ts';
import { parseFolderName } from './files/strax-folder.ts';

/**
 * Where a person wants it, the products of a run stay, listed and readable, until an attempt has made
 * new ones (`plan.replaces`). While the new are renamed into the output folder, what has the same
 * name goes to the trash of the attempt, from which it comes back if the publication is taken back;
 * the rest lies where it did until the run lists the new.
 */

/** Of what the run listed before, what these products replace: all of their types. */
export function replacedBy({ replaces }: Plan, products: readonly Product[]): string[] {
  const made = new Set(products.map(({ type }) => type));
  return (replaces ?? []).filter((location) => {
    const folder = parseFolderName(basename(resolve(location)));
    return folder !== null && made.has(folder.type);
  });
}

/** Of these folders, those that an attempt is not to replace: the others are of before, and listed. */
export function withoutReplaced(plan: Plan | null, locations: readonly string[]): string[] {
  const replaced = new Set((plan?.replaces ?? []).map((location) => resolve(location)));
  return locations.filter((location) => !replaced.has(resolve(location)));
}

/** Removes what an attempt has replaced, once its run is done with the new. Null if `signal` ended the waiting. */
export async function removeReplaced(
  env: Environment,
  plan: Plan,
  signal: AbortSignal,
): Promise<Removed | null> {
  const { place, replaces, outputDirectory, host } = plan;
  if (place == null || replaces == null) return { removed: [], left: [] };
  const names = replaces.map((location) => basename(resolve(location)));
  // Its name is that of the new by now: nothing else of before stays in the trash.
  for (const path of await env.products.tidyTrash(place)) {
    if (!names.some((name) => basename(path).startsWith(`${name}~`))) continue;
    await env.products.destroy({ place, host, outputDirectory }, path);
  }
  return removeProducts(env, replacing(env, plan), signal);
}
