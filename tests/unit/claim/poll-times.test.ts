import fc from 'fast-check';
import { expect, it } from 'vitest';

import { nextLook, SELDOM, type LookTimes } from '../../../src/claim/poll-times.ts';

const INTERVAL = 10;
const looked: LookTimes = {
  ...{ lookedAt: 100, lookAt: 110, quiet: true },
  ...{ dueAt: Infinity, heardAt: -Infinity },
};

it('a queue is looked at after an interval in which the change stream was not answered', () => {
  expect(nextLook(looked, INTERVAL)).toBe(110);
  expect(nextLook({ ...looked, heardAt: 95 }, INTERVAL)).toBe(110);
});

it('an answer of the change stream puts the look off by an interval, and not for ever', () => {
  expect(nextLook({ ...looked, heardAt: 108 }, INTERVAL)).toBe(118);
  expect(nextLook({ ...looked, heardAt: 159 }, INTERVAL)).toBe(160);
});

it('where there was something to look at an answer puts nothing off', () => {
  expect(nextLook({ ...looked, quiet: false, heardAt: 108 }, INTERVAL)).toBe(110);
});

it('a run that falls due is looked at then, whatever is heard', () => {
  expect(nextLook({ ...looked, dueAt: 103, heardAt: 102 }, INTERVAL)).toBe(103);
});

it('what is to be looked at at once is', () => {
  expect(nextLook({ ...looked, lookAt: -Infinity, heardAt: 109 }, INTERVAL)).toBe(-Infinity);
});

it('when the stream falls silent the queue is looked at within an interval', () => {
  const second = fc.integer({ min: 0, max: 1000 });
  fc.assert(
    fc.property(second, second, (lookedAt, later) => {
      const heardAt = lookedAt + later;
      const times = { ...looked, lookedAt, lookAt: lookedAt + INTERVAL, heardAt };
      const next = nextLook(times, INTERVAL);
      expect(next).toBeLessThanOrEqual(heardAt + INTERVAL);
      expect(next).toBeLessThanOrEqual(lookedAt + SELDOM * INTERVAL);
    }),
  );
});
