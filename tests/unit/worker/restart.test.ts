import { expect, test } from 'vitest';

import { backoffSeconds } from '../../../src/worker/restart.ts';

test('the wait doubles from a second to a minute', () => {
  expect([1, 2, 3, 4, 5, 6, 7, 8, 100].map(backoffSeconds)).toEqual([
    1, 2, 4, 8, 16, 32, 60, 60, 60,
  ]);
});
