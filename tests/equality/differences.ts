import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { PACKAGE } from '../support/lab.ts';

const DOCUMENT = 'docs/migration.md';

/** Ids of the differences that the documentation lists: first column, in code style. */
export function listedDifferences(): Set<string> {
  const text = readFileSync(join(PACKAGE, DOCUMENT), 'utf8');
  return new Set([...text.matchAll(/^\| `([a-z0-9-]+)` +\|/gm)].map(([, id]) => id ?? ''));
}

/** Sorts differences into those that are listed, by id with their number, and the others. */
export class Differences {
  readonly unlisted: unknown[] = [];
  readonly counts = new Map<string, number>();
  readonly #listed = listedDifferences();

  add(id: string | null, what: unknown): void {
    if (id === null || !this.#listed.has(id)) this.unlisted.push({ id, ...(what as object) });
    else this.counts.set(id, (this.counts.get(id) ?? 0) + 1);
  }
}
