import { describe, expect, it } from 'vitest';

import {
  isPassedAround,
  type Observation,
  observe,
  staleness,
} from '../../../src/claim/staleness.pure.ts';
import { defaultRules } from '../../../src/infra/config/rules.pure.ts';

const LIMITS = defaultRules.limits;

describe('the staleness of a run of another holder', () => {
  const seen = { state: 'busy', attempt: 'a', timeMs: 5 } as const;

  it('begins with the first reading, and again with each change', () => {
    const first = observe(null, seen, 100);
    expect(first).toEqual({ ...seen, unchangedSinceSeconds: 100, furtherClaims: 0 });
    expect(observe(first, seen, 150).unchangedSinceSeconds).toBe(100);
    expect(observe(first, { ...seen, timeMs: 6 }, 150)).toEqual({
      ...seen,
      timeMs: 6,
      unchangedSinceSeconds: 150,
      furtherClaims: 0,
    });
    expect(observe(first, { ...seen, attempt: 'b' }, 150).unchangedSinceSeconds).toBe(150);
    expect(observe(first, { ...seen, state: 'considering' }, 150).unchangedSinceSeconds).toBe(150);
    expect(observe(first, { ...seen, timeMs: null }, 150).unchangedSinceSeconds).toBe(150);
    const timeless = observe(null, { ...seen, timeMs: null, attempt: null }, 100);
    expect(
      observe(timeless, { ...seen, timeMs: null, attempt: null }, 170).unchangedSinceSeconds,
    ).toBe(100);
  });

  it('knows a run that claimers without attempts take from each other', () => {
    const claim = (timeMs: number) => ({ state: 'considering' as const, attempt: null, timeMs });
    const readings = (...times: number[]) =>
      times.reduce<Observation | null>((last, time) => observe(last, claim(time), time), null)!;
    const later = LIMITS.consideringLeaseSeconds / 3;
    const isAfter = (observation: Observation, seconds: number) =>
      isPassedAround(observation, seconds, LIMITS);
    expect(isAfter(readings(1, 1, 1, 1, 1), 1 + later)).toBe(false);
    expect(isAfter(readings(1, 2, 2, 3), 3 + later)).toBe(false);
    const around = readings(1, 2, 2, 3, 4);
    expect(isAfter(around, 4 + later)).toBe(true);
    expect(isAfter(around, 3.9 + later)).toBe(false);
    expect(isAfter(observe(around, claim(4), 9), 9 + later)).toBe(true);
    expect(isAfter(observe(around, { ...claim(5), attempt: 'a' }, 9), 9 + later)).toBe(false);
    expect(isAfter(observe(around, { ...claim(5), state: 'busy' }, 9), 9 + later)).toBe(false);
    const ours = [1, 2, 3, 4, 5].reduce<Observation | null>(
      (last, time) => observe(last, { ...claim(time), attempt: 'a' }, time),
      null,
    );
    expect(isAfter(ours!, 5 + later)).toBe(false);
  });

  it.each([
    ['busy', 220, 0, { kind: 'fresh', staleInSeconds: 0 }],
    ['busy', 220.1, 0, { kind: 'stale' }],
    ['busy', 150, 0, { kind: 'fresh', staleInSeconds: 70 }],
    ['considering', 160, 0, { kind: 'fresh', staleInSeconds: 0 }],
    ['considering', 160.1, 0, { kind: 'stale' }],
    // The database came back at 500: the holder could not write before.
    ['busy', 610, 500, { kind: 'fresh', staleInSeconds: 10 }],
    ['busy', 620.5, 500, { kind: 'stale' }],
    ['considering', 570, 500, { kind: 'stale' }],
  ] as const)('%s at %d s, connected since %d s', (state, now, connected, expected) => {
    const observation = { ...seen, state, unchangedSinceSeconds: 100, furtherClaims: 0 };
    expect(staleness(observation, connected, now, LIMITS)).toEqual(expected);
  });
});
