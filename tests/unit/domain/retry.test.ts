import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import {
  concludeFailure,
  nextRetryDelaySeconds,
  uncountedDelaySeconds,
} from '../../../src/domain/retry.ts';
import { defaultRules } from '../../../src/domain/rules.ts';

const RULES = defaultRules.retry;

describe('the delay after a counted failure', () => {
  it.each([
    [0, 30, 60, 90],
    [1, 150, 300, 450],
    [2, 750, 1500, 2250],
    [3, 3750, 7500, 11_250],
    [4, 3750, 7500, 11_250],
    [9, 3750, 7500, 11_250],
  ])('number %i', (failures, least, mean, most) => {
    expect(nextRetryDelaySeconds(failures, 0, RULES)).toBe(least);
    expect(nextRetryDelaySeconds(failures, 0.5, RULES)).toBe(mean);
    expect(nextRetryDelaySeconds(failures, 1, RULES)).toBe(most);
  });

  it('has the jitter that is configured', () => {
    const rules = { ...RULES, jitter: { min: 1, max: 3 } };
    expect(nextRetryDelaySeconds(0, 0.5, rules)).toBe(120);
  });

  it('adds up to thirteen hours over the nine waits', () => {
    const sum = Array.from({ length: 9 }, (_, n) => nextRetryDelaySeconds(n, 0.5, RULES));
    expect(sum.reduce((a, b) => a + b)).toBe(46_860);
  });
});

describe('the delay after an uncounted event', () => {
  it('doubles from 10 s to 600 s', () => {
    expect(Array.from({ length: 10 }, (_, i) => uncountedDelaySeconds(i + 1, RULES))).toEqual([
      10, 20, 40, 80, 160, 320, 600, 600, 600, 600,
    ]);
  });
});

describe('a failure', () => {
  it('that counts goes a rung down and waits', () => {
    expect(concludeFailure({ failures: 1, uncounted: 4, counted: true }, 0.5, RULES)).toEqual({
      kind: 'failed',
      failures: 2,
      uncounted: 0,
      delaySeconds: 300,
    });
  });

  it('that is the tenth is the last', () => {
    expect(concludeFailure({ failures: 8, uncounted: 0, counted: true }, 0.5, RULES).kind).toBe(
      'failed',
    );
    expect(concludeFailure({ failures: 9, uncounted: 0, counted: true }, 0.5, RULES)).toEqual({
      kind: 'given_up',
      failures: 10,
      uncounted: 0,
      delaySeconds: null,
    });
  });

  it('that is not the run’s fault is not counted, ten times in a row', () => {
    expect(concludeFailure({ failures: 9, uncounted: 0, counted: false }, 0.5, RULES)).toEqual({
      kind: 'requeued',
      failures: 9,
      uncounted: 1,
      delaySeconds: 10,
    });
    expect(concludeFailure({ failures: 2, uncounted: 9, counted: false }, 0.5, RULES)).toEqual({
      kind: 'requeued',
      failures: 2,
      uncounted: 10,
      delaySeconds: 600,
    });
    expect(concludeFailure({ failures: 2, uncounted: 10, counted: false }, 0.5, RULES)).toEqual({
      kind: 'failed',
      failures: 3,
      uncounted: 0,
      delaySeconds: 1500,
    });
  });

  it('always leads to an end: no run goes round for ever', () => {
    fc.assert(
      fc.property(fc.infiniteStream(fc.boolean()), (counts) => {
        let failures = 0;
        let uncounted = 0;
        for (let attempts = 1; ; attempts++) {
          const next = concludeFailure(
            { failures, uncounted, counted: counts.next().value as boolean },
            0.5,
            RULES,
          );
          expect(next.failures - failures).toBe(next.kind === 'requeued' ? 0 : 1);
          if (next.kind === 'given_up') return;
          expect(next.delaySeconds).toBeGreaterThan(0);
          ({ failures, uncounted } = next);
          expect(attempts).toBeLessThan(110);
        }
      }),
    );
  });
});
