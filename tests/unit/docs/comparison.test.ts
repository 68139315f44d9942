import { expect, it } from 'vitest';

import { cellsOf, expectShown, readDocument } from './shown-by.ts';

const [header, , ...rows] = readDocument('docs/comparison.md')
  .split('\n')
  .filter((line) => line.startsWith('| ') || line.startsWith('|--'))
  .map(cellsOf);

it('has four columns in every row, none of them empty', () => {
  expect(header).toEqual(['feature', 'reference', 'here', 'shown by']);
  for (const row of rows) {
    expect(row, row[0]).toHaveLength(4);
    for (const cell of row) expect(cell.length, row[0]).toBeGreaterThan(3);
  }
});

it('names each feature once', () => {
  const features = rows.map(([feature]) => feature);
  expect(new Set(features).size).toBe(features.length);
});

it.each(rows)('%s is shown by tests or commands that exist', (...row) => {
  expectShown(row[3] ?? '');
});
