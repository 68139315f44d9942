import { table } from '../src/cli/framework/output.ts';

/** Quantile of figures by linear interpolation. */
export function quantile(figures: readonly number[], q: number): number {
  const sorted = [...figures].sort((a, b) => a - b);
  const at = (sorted.length - 1) * q;
  const low = sorted[Math.floor(at)] ?? Number.NaN;
  const high = sorted[Math.ceil(at)] ?? Number.NaN;
  return low + (high - low) * (at - Math.floor(at));
}

export const median = (figures: readonly number[]): number => quantile(figures, 0.5);

/**
 * Upper limit of the median that holds with 95 %, whatever the distribution: by the order of the
 * figures. NaN where there are too few (below 5).
 */
export function upperLimitOfMedian(figures: readonly number[]): number {
  const sorted = [...figures].sort((a, b) => a - b);
  const count = sorted.length;
  // Chance that at most `below` of the figures lie below the true median.
  let chance = 0;
  let term = 0.5 ** count;
  for (let below = 0; below < count; below++) {
    chance += term;
    if (chance >= 0.95) return sorted[below] ?? Number.NaN;
    term *= (count - below) / (below + 1);
  }
  return Number.NaN;
}

type Rows = readonly (readonly (string | number)[])[];

/** Prints the table, then as the last line one JSON object with the figures. */
export function report(
  title: string,
  head: readonly string[],
  rows: Rows,
  json: Record<string, unknown>,
): void {
  printTable(title, head, rows);
  console.log(JSON.stringify(json));
}

export function printTable(title: string, head: readonly string[], rows: Rows): void {
  const texts = rows.map((row) =>
    row.map((cell) => (typeof cell === 'number' ? rounded(cell) : cell)),
  );
  console.log(`${title}\n${table(head, texts)}`);
}

/** Three significant digits. */
export function rounded(figure: number): string {
  return Number.isFinite(figure) ? String(Number(figure.toPrecision(3))) : '-';
}
