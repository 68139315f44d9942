import { expect, it } from 'vitest';

import { freePlaces } from '../../../src/executors/free-places.pure.ts';

it.each([
  [1, 0, 1, null],
  [1, 1, 0, 'its only place is taken'],
  [3, 2, 1, null],
  [3, 3, 0, 'all 3 places are taken'],
  // A setting that was lowered while attempts run on.
  [1, 2, 0, 'its only place is taken'],
])('of %i places %i are taken: %i free, %s', (total, taken, free, why) => {
  expect(freePlaces(total, taken)).toEqual({ total, free, why });
});
