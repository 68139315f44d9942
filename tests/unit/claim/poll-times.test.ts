import fc from 'fast-check';
import { expect, it } from 'vitest';

import { nextPoll, type PollTimes, SELDOM } from '../../../src/claim/poll-times.ts';

const INTERVAL = 10;
const looked: PollTimes = {
  ...{ polledAt: 100, pollAt: 110, quiet: true },
  ...{ dueAt: Infinity, heardAt: -Infinity },
};

it('a queue is looked at after an interval in which the change stream was not answered', () => {
  expect(nextPoll(looked, INTERVAL)).toBe(110);
  expect(nextPoll({ ...looked, heardAt: 95 }, INTERVAL)).toBe(110);
});

it('an answer of the change stream puts the look off by an interval, and not for ever', () => {
  expect(nextPoll({ ...looked, heardAt: 108 }, INTERVAL)).toBe(118);
  expect(nextPoll({ ...looked, heardAt: 159 }, INTERVAL)).toBe(160);
});

it('where there was something to look at an answer puts nothing off', () => {
  expect(nextPoll({ ...looked, quiet: false, heardAt: 108 }, INTERVAL)).toBe(110);
});

it('a run that falls due is looked at then, whatever is heard', () => {
  expect(nextPoll({ ...looked, dueAt: 103, heardAt: 102 }, INTERVAL)).toBe(103);
});

it('what is to be looked at at once is', () => {
  expect(nextPoll({ ...looked, pollAt: -Infinity, heardAt: 109 }, INTERVAL)).toBe(-Infinity);
});

it('when the stream falls silent the queue is looked at within an interval', () => {
  const second = fc.integer({ min: 0, max: 1000 });
  fc.assert(
    fc.property(second, second, (polledAt, later) => {
      const heardAt = polledAt + later;
      const times = { ...looked, polledAt, pollAt: polledAt + INTERVAL, heardAt };
      const next = nextPoll(times, INTERVAL);
      expect(next).toBeLessThanOrEqual(heardAt + INTERVAL);
      expect(next).toBeLessThanOrEqual(polledAt + SELDOM * INTERVAL);
    }),
  );
});
