import { expect, test } from 'vitest';

import { backoffSeconds, warmUpProblem } from '../../../../src/attempt/worker/worker-restart.ts';

test('the wait doubles from a second to a minute', () => {
  expect([1, 2, 3, 4, 5, 6, 7, 8, 100].map(backoffSeconds)).toEqual([
    1, 2, 4, 8, 16, 32, 60, 60, 60,
  ]);
});

test('a worker that warms up is waited for ten minutes, and not for ever', () => {
  expect([0, 26, 600].map(warmUpProblem)).toEqual([null, null, null]);
  expect(warmUpProblem(601)).toMatch(/^the worker has been warming up for more than 10 min/);
});
