/** One decision that differs. */
export interface Change<T extends string = string> {
  decision: T;
  from: unknown;
  to: unknown;
}

/** How often a decision differs, and for which runs, for a table. */
export interface ChangeSummary<T extends string = string> {
  decision: T;
  count: number;
  examples: { run: number | null; from: unknown; to: unknown }[];
}

/** What differs between two sets of decisions, in the order of `names`. Lists are equal item by item. */
export function changesBetween<T extends string>(
  from: Readonly<Partial<Record<T, unknown>>>,
  to: Readonly<Partial<Record<T, unknown>>>,
  names: readonly T[],
): Change<T>[] {
  return names
    .filter((name) => !isSame(from[name], to[name]))
    .map((decision) => ({ decision, from: from[decision], to: to[decision] }));
}

function isSame(a: unknown, b: unknown): boolean {
  if (!Array.isArray(a) || !Array.isArray(b)) return Object.is(a, b);
  return a.length === b.length && a.every((item, i) => isSame(item, b[i]));
}

/** Counts changes by decision, most frequent first, with the first examples of each. */
export function summaryOf<T extends string>(
  runs: Iterable<{ run: number | null; changes: readonly Change<T>[] }>,
  examplesOfEach: number,
): ChangeSummary<T>[] {
  const byDecision = new Map<T, ChangeSummary<T>>();
  for (const { run, changes } of runs) {
    for (const { decision, from, to } of changes) {
      const known = byDecision.get(decision) ?? { decision, count: 0, examples: [] };
      known.count += 1;
      if (known.examples.length < examplesOfEach) known.examples.push({ run, from, to });
      byDecision.set(decision, known);
    }
  }
  return [...byDecision.values()].sort((a, b) => b.count - a.count);
}
