import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { evenly, withOlder } from '../../../src/readmodel/heartbeats.pure.ts';

const at = (minutes: number) => ({ time: new Date(minutes * 60_000) });
const minutes = (signs: readonly { time: Date }[]) => signs.map(({ time }) => +time / 60_000);

describe('the curves of a host', () => {
  it('take thinned heartbeats only from before the oldest of all', () => {
    expect(minutes(withOlder([at(10), at(9)], [at(11), at(9), at(5), at(0)]))).toEqual([
      10, 9, 5, 0,
    ]);
    expect(minutes(withOlder([], [at(0), at(5)]))).toEqual([5, 0]);
    expect(minutes(withOlder([at(3)], []))).toEqual([3]);
  });

  it('reach as far back as either kind, newest first, and no moment is drawn twice', () => {
    const times = fc.uniqueArray(fc.integer({ min: 0, max: 5000 }));
    fc.assert(
      fc.property(times, times, (recent, thinned) => {
        const joined = minutes(withOlder(recent.map(at), thinned.map(at)));
        expect(joined).toEqual([...joined].sort((a, b) => b - a));
        expect(new Set(joined).size).toBe(joined.length);
        expect(recent.every((each) => joined.includes(each))).toBe(true);
        expect(Math.min(...joined)).toBe(Math.min(...recent, ...thinned));
      }),
    );
  });

  it('are drawn alike where heartbeats are dense and where they are thinned', () => {
    const dense = Array.from({ length: 1000 }, (_, i) => ({ atMs: 170_000_000 + i * 2800 }));
    const thin = Array.from({ length: 500 }, (_, i) => ({ atMs: i * 300_000 }));
    const drawn = evenly([...dense, ...thin], { fromMs: 0, toMs: 172_800_000 }, 600);
    expect(drawn.filter(({ atMs }) => atMs < 150_000_000).length).toBeGreaterThan(490);
    expect(drawn.filter(({ atMs }) => atMs >= 170_000_000).length).toBeLessThan(12);
    expect(drawn.at(-1)).toEqual(dense.at(-1));
  });

  it('have at most so many points, in order, the newest among them', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: -10, max: 110 }), { minLength: 1 }),
        fc.integer({ min: 1, max: 30 }),
        (times, most) => {
          const signs = times.map((atMs) => ({ atMs }));
          const drawn = evenly(signs, { fromMs: 0, toMs: 100 }, most).map(({ atMs }) => atMs);
          expect(drawn.length).toBeLessThanOrEqual(most);
          expect(drawn).toEqual([...drawn].sort((a, b) => a - b));
          expect(drawn.at(-1)).toBe(Math.max(...times));
        },
      ),
    );
  });
});
