import { expect, it } from 'vitest';

import { progressSummary } from '../../../src/plan/plan-summary.ts';

const PROGRESS = {
  ...{ t: 10, phase: 'processing' as const, chunks: 2, coveredSeconds: 9.5, bytes: 5e6 },
  memoryBytes: 1e9,
};
const STARTED = new Date('2026-01-01T12:00:00Z');

it('the run document shows the progress, and the first output once there is one', () => {
  const shown = {
    ...{ phase: 'processing', chunks: 2, covered_seconds: 9.5, bytes: 5e6 },
    ...{ memory_bytes: 1e9, mb_per_s: 0.5, t: 10 },
  };
  expect(progressSummary({ ...PROGRESS, firstOutput: null }, null, STARTED)).toEqual(shown);
  expect(progressSummary({ ...PROGRESS, firstOutput: 7.5 }, 'checking', STARTED)).toEqual({
    ...shown,
    phase: 'checking',
    first_output: new Date('2026-01-01T12:00:07.500Z'),
  });
  // An attempt at a debt has no such start.
  expect(progressSummary({ ...PROGRESS, firstOutput: 7.5 }, null)).toEqual(shown);
});
