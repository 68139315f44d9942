import { stripVTControlCharacters, styleText } from 'node:util';

type Style = Parameters<typeof styleText>[0];

/** Colour only on a terminal, and never with NO_COLOR. */
export function inColour(stream: NodeJS.WriteStream = process.stdout): boolean {
  return stream.isTTY && !process.env['NO_COLOR'] && process.env['TERM'] !== 'dumb';
}

/** The text in this style, or as it is where there is no colour. */
export function style(format: Style, text: string): string {
  return inColour() ? styleText(format, text, { validateStream: false }) : text;
}

/** Writes one line to standard output. */
export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Writes one JSON object as one line. */
export function printJson(value: unknown): void {
  print(JSON.stringify(value));
}

/** A table without frames: it can be read, and cut with awk. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head.map((title) => style('bold', title)), ...rows].map((row) =>
    row.map((cell) => cell.replace(/\s*\n\s*/g, ' ')),
  );
  const widths = head.map((_, column) =>
    Math.max(...lines.map((line) => shownWidth(line[column] ?? ''))),
  );
  return lines.map((line) => lineOf(line, widths)).join('\n');
}

/** Two blanks between columns; none at the end. */
function lineOf(cells: readonly string[], widths: readonly number[]): string {
  return cells
    .map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - shownWidth(cell)))
    .join('  ')
    .trimEnd();
}

/** Characters that a terminal shows: escapes for colour take no room. */
function shownWidth(text: string): number {
  return [...stripVTControlCharacters(text)].length;
}

/** `[######....]` for a fraction from 0 to 1. */
export function bar(fraction: number, width: number): string {
  const filled = Math.round(Math.min(1, Math.max(0, fraction)) * width);
  return `[${'#'.repeat(filled)}${'.'.repeat(width - filled)}]`;
}

export { bytes, duration } from '../../infra/values/amounts.pure.ts';
