import { expect, it } from 'vitest';

import { cellsOf, expectShown, readDocument } from './shown-by.ts';

const WEAKNESSES = 37;

const rows = readDocument('docs/reliability.md')
  .split('\n')
  .filter((line) => /^\| W\d+ \|/.test(line))
  .map((line) => {
    const [name = '', weakness = '', here = '', shownBy = ''] = cellsOf(line);
    return { name, weakness, here, shownBy };
  });

it('each weakness of the reference is in the table once, in order', () => {
  const expected = Array.from({ length: WEAKNESSES }, (_, i) => `W${i + 1}`);
  expect(rows.map(({ name }) => name)).toEqual(expected);
  for (const { weakness, here } of rows) {
    expect(weakness.length).toBeGreaterThan(10);
    expect(here.length).toBeGreaterThan(5);
  }
});

it.each(rows)('$name is shown by tests that exist', ({ shownBy }) => {
  expectShown(shownBy);
});
