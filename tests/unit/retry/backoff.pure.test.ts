import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { defaultRules } from '../../../src/infra/config/rules.pure.ts';
import {
  concludeFailure,
  type Fault,
  nextRetryDelaySeconds,
  uncountedDelaySeconds,
} from '../../../src/retry/backoff.pure.ts';

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
  const before = (failures: number, uncounted = 0, holdersLost = 0) => ({
    failures,
    uncounted,
    holdersLost,
  });

  it('that counts goes a rung down and waits', () => {
    expect(concludeFailure(before(1, 4, 1), 'run', 0.5, RULES)).toEqual({
      kind: 'failed',
      failures: 2,
      delaySeconds: 300,
    });
  });

  it('that is the tenth is the last', () => {
    expect(concludeFailure(before(8), 'run', 0.5, RULES).kind).toBe('failed');
    expect(concludeFailure(before(9), 'run', 0.5, RULES)).toEqual({
      kind: 'given_up',
      failures: 10,
      delaySeconds: null,
    });
  });

  it('of a run that a person tried once more after it was given up is not counted further', () => {
    const again = { kind: 'given_up', failures: 10, delaySeconds: null };
    expect(concludeFailure(before(10), 'run', 0.5, RULES)).toEqual(again);
    expect(concludeFailure(before(12), 'run', 0.5, RULES)).toEqual({ ...again, failures: 12 });
  });

  it('that is not the run’s fault is not counted, ten times in a row', () => {
    expect(concludeFailure(before(9), 'surroundings', 0.5, RULES)).toEqual({
      kind: 'requeued',
      holderLost: false,
      delaySeconds: 10,
    });
    expect(concludeFailure(before(2, 9, 1), 'surroundings', 0.5, RULES)).toEqual({
      kind: 'requeued',
      holderLost: false,
      delaySeconds: 600,
    });
    expect(concludeFailure(before(2, 10), 'surroundings', 0.5, RULES)).toEqual({
      kind: 'failed',
      failures: 3,
      delaySeconds: 1500,
    });
  });

  it('that takes its holder down counts the second time', () => {
    expect(concludeFailure(before(0, 3), 'holder_lost', 0.5, RULES)).toEqual({
      kind: 'requeued',
      holderLost: true,
      delaySeconds: 80,
    });
    expect(concludeFailure(before(0, 4, 1), 'holder_lost', 0.5, RULES)).toEqual({
      kind: 'failed',
      failures: 1,
      delaySeconds: 60,
    });
    expect(concludeFailure(before(9, 1, 1), 'holder_lost', 0.5, RULES).kind).toBe('given_up');
    expect(concludeFailure(before(0, 3, 5), 'surroundings', 0.5, RULES).kind).toBe('requeued');
  });

  it('always leads to an end: no run goes round for ever', () => {
    const fault = fc.constantFrom<Fault>('run', 'surroundings', 'holder_lost');
    fc.assert(
      fc.property(fc.infiniteStream(fault), (faults) => {
        let now = before(0);
        for (let attempts = 1; ; attempts++) {
          const next = concludeFailure(now, faults.next().value as Fault, 0.5, RULES);
          if (next.kind === 'given_up') {
            expect(now.failures).toBe(9);
            return;
          }
          expect(next.delaySeconds).toBeGreaterThan(0);
          now =
            next.kind === 'failed'
              ? before(next.failures)
              : before(
                  now.failures,
                  now.uncounted + 1,
                  now.holdersLost + (next.holderLost ? 1 : 0),
                );
          expect(attempts).toBeLessThan(110);
        }
      }),
    );
  });
});
