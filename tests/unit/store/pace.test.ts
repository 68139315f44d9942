import { describe, expect, it } from 'vitest';

import { Pace } from '../../../src/store/pace.ts';

/** Answers in so many minutes, where somebody writes each `everyMs`, after `warmUpMinutes`. */
function asked(everyMs: number, minutes: number, warmUpMinutes = 5): number {
  const pace = new Pace();
  let now = 0;
  let count = 0;
  const begin = warmUpMinutes * 60_000;
  while (now < begin + minutes * 60_000) {
    now += everyMs;
    if (now > begin) count++;
    now += pace.nothing(now);
  }
  return count;
}

describe('a change stream whose server answers at each write of anybody', () => {
  it('is asked on at once while that is seldom, as with one manager', () => {
    const pace = new Pace();
    for (let now = 0; now < 3_600_000; now += 7000) expect(pace.nothing(now)).toBe(0);
  });

  it.each([8, 24, 100])('costs each of %i hosts at most 10 questions a minute', (hosts) => {
    expect(asked(7000 / hosts, 10)).toBeLessThanOrEqual(10 * 10 + 1);
  });

  it('is asked on at once while there are events', () => {
    const pace = new Pace();
    for (let now = 0; now < 600_000; now += 200) {
      if (now % 5000 === 0) pace.event();
      expect(pace.nothing(now)).toBe(0);
    }
  });
});
