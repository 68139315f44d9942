import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';

const PACKAGE = resolve(import.meta.dirname, '../../..');
const WEAKNESSES = 37;

const rows = readFileSync(join(PACKAGE, 'docs/reliability.md'), 'utf8')
  .split('\n')
  .filter((line) => /^\| W\d+ \|/.test(line))
  .map((line) => {
    const [, name = '', weakness = '', here = '', shownBy = ''] = line
      .split(' | ')
      .flatMap((cell, i) => (i === 0 ? ['', cell.replace('| ', '')] : [cell.trim()]));
    return { name, weakness, here, tests: testsOf(shownBy.replace(/ \|$/, '')) };
  });

/** `file`: *title of the test*, separated by `<br>`. */
function testsOf(cell: string): { file: string; title: string }[] {
  return cell.split('<br>').map((one) => {
    const [, file = '', title = ''] = /^`([^`]+)`: \*(.+)\*$/.exec(one.trim()) ?? [];
    return { file, title };
  });
}

function isTestIn(source: string, file: string, title: string): boolean {
  if (file.endsWith('.py')) return source.includes(`\ndef ${title}(`);
  // As the first argument of a call, in quotes of any kind.
  const call = new RegExp(`\\(\\s*(['"\`])${escaped(title)}\\1,`);
  return call.test(source);
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

it('each weakness of the reference is in the table once, in order', () => {
  const expected = Array.from({ length: WEAKNESSES }, (_, i) => `W${i + 1}`);
  expect(rows.map(({ name }) => name)).toEqual(expected);
  for (const { weakness, here } of rows) {
    expect(weakness.length).toBeGreaterThan(10);
    expect(here.length).toBeGreaterThan(5);
  }
});

it.each(rows)('$name is shown by tests that exist', ({ tests }) => {
  expect(tests.length).toBeGreaterThan(0);
  for (const { file, title } of tests) {
    const path = join(PACKAGE, file);
    expect(existsSync(path), `${file} does not exist`).toBe(true);
    expect(title.length).toBeGreaterThan(10);
    const found = isTestIn(readFileSync(path, 'utf8'), file, title);
    expect(found, `${file} has no test '${title}'`).toBe(true);
  }
});
