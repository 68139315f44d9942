import { expect, test } from 'vitest';

import { isWithin } from '../../../../src/infra/values/within.pure.ts';

test.each([
  ['/out', '/out', true],
  ['/out/', '/out', true],
  ['/out/a/b', '/out', true],
  ['/out/../out/a', '/out', true],
  ['/out/..a', '/out', true],
  ['/out.staging', '/out', false],
  ['/outer', '/out', false],
  ['/out/../staging', '/out', false],
  ['/', '/out', false],
  ['/.staging', '/', true],
])('whether %s is within %s is known: %s', (folder, other, answer) => {
  expect(isWithin(folder, other)).toBe(answer);
});
