import { expect, test } from 'vitest';

import { memoryCapacity } from '../../../src/host/memory.ts';

test('the memory that can be had is at most that of the machine', () => {
  const { totalBytes, availableBytes } = memoryCapacity();
  expect(totalBytes).toBeGreaterThan(100e6);
  expect(availableBytes).toBeGreaterThan(0);
  expect(availableBytes).toBeLessThanOrEqual(totalBytes);
});
