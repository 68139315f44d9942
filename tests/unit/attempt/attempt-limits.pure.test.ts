import fc from 'fast-check';
import { expect, it } from 'vitest';

import { exceededLimit } from '../../../src/attempt/attempt-limits.pure.ts';
import { defaultRules } from '../../../src/infra/config/rules.pure.ts';

const HOUR = 3600;
const { limits } = defaultRules;
/** A site that allows more than the defaults after the end and without a write. */
const PATIENT = { ...limits, maxAfterEndSeconds: 500 * HOUR, maxNoWriteSeconds: 500 * HOUR };

it.each([
  // hours: since its start, since its progress, since the end of the run
  ['a run of 73 h that is taken and moves', 73, 0.1, null, null],
  ['a run of 20 days that is taken and moves', 480, 0.4, null, null],
  ['a run that is taken and stands still', 73, 72.1, null, 'timed_out processing'],
  ['a run whose end the DAQ has put into the future', 100, 0.1, -5, null],
  ['a run of 73 h that ended a moment ago', 73, 0.1, 0.01, null],
  ['a run of 100 h that ended 71 h ago', 171, 0.1, 71, null],
  ['a run of 100 h that ended 73 h ago', 173, 0.1, 73, 'timed_out processing'],
  ['an old run that is processed anew', 71, 0.1, 5000, null],
  ['an old run that is processed anew for too long', 73, 0.1, 5000, 'timed_out processing'],
] as const)('%s has its 72 h from its end on', (...[, age, idle, sinceEnd, expected]) => {
  const ended = exceededLimit(
    {
      ageSeconds: age * HOUR,
      idleSeconds: idle * HOUR,
      sinceEndSeconds: sinceEnd === null ? null : sinceEnd * HOUR,
      ofDebt: false,
    },
    PATIENT,
  );
  const told = ended?.kind === 'timed_out' ? `timed_out ${ended.which}` : (ended?.kind ?? null);
  expect(told).toBe(expected);
});

it('a debt of a run that is done has 72 h of its own, and none of 13 h after the end', () => {
  const debt = { idleSeconds: 60, sinceEndSeconds: null, ofDebt: true };
  expect(exceededLimit({ ...debt, ageSeconds: 71 * HOUR }, limits)).toBeNull();
  expect(exceededLimit({ ...debt, ageSeconds: 73 * HOUR }, limits)).toEqual({
    kind: 'timed_out',
    which: 'processing',
  });
});

it('an attempt that moves is never stopped while its run is taken', () => {
  const hours = fc.double({ min: 0, max: 1e5, noNaN: true });
  const idle = fc.double({ min: 0, max: limits.maxNoWriteSeconds, noNaN: true });
  fc.assert(
    fc.property(hours, idle, (age, idleSeconds) => {
      const attempt = { ageSeconds: age * HOUR, idleSeconds, sinceEndSeconds: null, ofDebt: false };
      expect(exceededLimit(attempt, limits)).toBeNull();
    }),
  );
});
