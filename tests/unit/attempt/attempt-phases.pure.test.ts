import { describe, expect, it } from 'vitest';

import {
  assertMayEnter,
  ATTEMPT_PHASES,
  mayEnter,
} from '../../../src/attempt/attempt-phases.pure.ts';

describe('the phases of an attempt', () => {
  it.each(ATTEMPT_PHASES.filter((phase) => phase !== 'concluding'))(
    'lead from %s to the conclusion at any time',
    (phase) => {
      expect(mayEnter(phase, 'concluding')).toBe(true);
    },
  );

  it.each(ATTEMPT_PHASES.filter((phase) => phase !== 'concluding'))(
    'never lead from the conclusion to %s',
    (phase) => {
      expect(mayEnter('concluding', phase)).toBe(false);
    },
  );

  it('are all reached from the claim', () => {
    const reached = new Set(['claimed']);
    for (const from of ATTEMPT_PHASES) {
      for (const to of ATTEMPT_PHASES) {
        if (reached.has(from) && mayEnter(from, to)) reached.add(to);
      }
    }
    expect([...reached].sort()).toEqual([...ATTEMPT_PHASES].sort());
  });

  it.each([
    ['claimed', 'starting'],
    ['preparing', 'running'],
    ['waiting_for_worker', 'starting'],
    ['running', 'preparing'],
    ['running', 'starting'],
    ['checking', 'running'],
    ['running', 'waiting_for_end'],
  ] as const)('do not lead from %s to %s', (from, to) => {
    expect(() => assertMayEnter('5f0c', from, to)).toThrow(
      `attempt 5f0c cannot go from ${from} to ${to}`,
    );
  });
});
