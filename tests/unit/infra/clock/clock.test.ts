import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { untilBeatSeconds } from '../../../../src/infra/clock/clock.ts';

const time = fc.integer({ min: 0, max: 4e12 });

describe('the next beat', () => {
  it('comes within a tenth more than a period, and never twice for a timer that rang early', () => {
    fc.assert(
      fc.property(time, (now) => {
        const wait = untilBeatSeconds(now, 9);
        expect(wait).toBeGreaterThan(0.89);
        expect(wait).toBeLessThan(9.91);
      }),
    );
  });

  it('is the same for hosts that begin at different times', () => {
    fc.assert(
      fc.property(time, fc.integer({ min: 0, max: 8000 }), (now, later) => {
        const beatOf = (begin: number) => begin / 1000 + untilBeatSeconds(begin, 9);
        const apart = Math.abs(beatOf(now + later) - beatOf(now)) % 9;
        expect(Math.min(apart, 9 - apart)).toBeLessThan(0.001);
      }),
    );
  });

  it('is a period after the last', () => {
    expect(untilBeatSeconds(18_000, 9)).toBe(9);
    expect(untilBeatSeconds(18_002, 9)).toBeCloseTo(8.998);
    expect(untilBeatSeconds(17_998, 9)).toBeCloseTo(9.002);
  });
});
