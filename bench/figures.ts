import Table from 'cli-table3';

/** Quantile of figures by linear interpolation. */
export function quantile(figures: readonly number[], q: number): number {
  const sorted = [...figures].sort((a, b) => a - b);
  const at = (sorted.length - 1) * q;
  const low = sorted[Math.floor(at)] ?? Number.NaN;
  const high = sorted[Math.ceil(at)] ?? Number.NaN;
  return low + (high - low) * (at - Math.floor(at));
}

export const median = (figures: readonly number[]): number => quantile(figures, 0.5);

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
  const table = new Table({ head: [...head], style: { head: [], border: [] } });
  for (const row of rows) {
    table.push(row.map((cell) => (typeof cell === 'number' ? rounded(cell) : cell)));
  }
  console.log(`${title}\n${table.toString()}`);
}

/** Three significant digits. */
export function rounded(figure: number): string {
  return Number.isFinite(figure) ? String(Number(figure.toPrecision(3))) : '-';
}
