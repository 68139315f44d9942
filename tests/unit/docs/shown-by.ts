import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect } from 'vitest';

const PACKAGE = resolve(import.meta.dirname, '../../..');

/** A document of the project. */
export function readDocument(path: string): string {
  return readFileSync(join(PACKAGE, path), 'utf8');
}

/** The cells of a row of a Markdown table. */
export function cellsOf(row: string): string[] {
  return row
    .replace(/^\| /, '')
    .replace(/ \|$/, '')
    .split(' | ')
    .map((cell) => cell.trim());
}

/**
 * Each entry of a cell, separated by `<br>`, names what shows the claim of its row: a test as
 * `file`: *title*, or a command of the Makefile or of the program as `make ...` or `bootstrax ...`.
 */
export function expectShown(cell: string): void {
  const entries = cell.split('<br>').map((entry) => entry.trim());
  expect(entries.length).toBeGreaterThan(0);
  for (const entry of entries) {
    const [, file, title] = /^`([^`]+)`: \*(.+)\*$/.exec(entry) ?? [];
    if (file !== undefined && title !== undefined) expectTest(file, title);
    else expectCommand(entry);
  }
}

function expectTest(file: string, title: string): void {
  const path = join(PACKAGE, file);
  expect(existsSync(path), `${file} does not exist`).toBe(true);
  expect(title.length).toBeGreaterThan(10);
  const found = isTestIn(readFileSync(path, 'utf8'), file, title);
  expect(found, `${file} has no test '${title}'`).toBe(true);
}

function isTestIn(source: string, file: string, title: string): boolean {
  if (file.endsWith('.py')) return source.includes(`\ndef ${title}(`);
  // As the first argument of a call, in quotes of any kind.
  const call = new RegExp(`\\(\\s*(['"\`])${escaped(title)}\\1,`);
  return call.test(source);
}

function expectCommand(entry: string): void {
  const [, program, name = ''] = /^`(make|bootstrax) ([a-z][a-z-]*)[^`]*`$/.exec(entry) ?? [];
  expect(program, `'${entry}' is neither a test nor a command`).toBeDefined();
  const exists = program === 'make' ? isMakeTarget(name) : isSubcommand(name);
  expect(exists, `there is no '${program} ${name}'`).toBe(true);
}

function isMakeTarget(name: string): boolean {
  const benchmark = /^bench-(.+)$/.exec(name)?.[1];
  if (benchmark !== undefined) return existsSync(join(PACKAGE, 'bench', `${benchmark}.ts`));
  return new RegExp(`^${escaped(name)}:`, 'm').test(readDocument('Makefile'));
}

function isSubcommand(name: string): boolean {
  return new RegExp(`^\\| .*\`[^|]*\\b${escaped(name)}\\b[^|]*\` .*\\|`, 'm').test(
    readDocument('README.md'),
  );
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
