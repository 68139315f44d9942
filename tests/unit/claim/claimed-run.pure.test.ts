import { expect, test } from 'vitest';

import { isAsItsAttemptLeftIt } from '../../../src/claim/claimed-run.pure.ts';
import { readRun } from '../../../src/run/run.pure.ts';

const time = new Date('2026-03-01T12:00:00Z');
const later = new Date('2026-03-01T12:00:10Z');
const plan = { targets: ['peaks'] };
const claimed = { state: 'considering', host: 'eb0', attempt: 'a1', time, attempt_time: time };
const busy = { ...claimed, state: 'busy', plan };

test.each([
  ['just claimed', claimed, true],
  ['busy', busy, true],
  ['of a release that gave no time of its own', { ...busy, attempt_time: undefined }, true],
  ['rewritten as a whole by the reference', { ...busy, time: later }, false],
  [
    'put back to considering, as by the first of the two writes with which the reference claims',
    { ...busy, state: 'considering' },
    false,
  ],
  [
    'the same, of a release that gave no time of its own',
    { ...busy, state: 'considering', attempt_time: undefined },
    false,
  ],
])('whether a run is as its attempt left it is told where it is %s', (_, bootstrax, isLeft) => {
  expect(isAsItsAttemptLeftIt(readRun({ bootstrax }))).toBe(isLeft);
});
