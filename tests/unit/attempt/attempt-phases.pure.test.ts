import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import {
  assertIsIn,
  assertMayEnter,
  ATTEMPT_PHASES,
  type AttemptPhase,
  mayEnter,
  TRACES,
  tracesOf,
} from '../../../src/attempt/attempt-phases.pure.ts';

const beforeTheEnd = ATTEMPT_PHASES.filter(
  (phase) => phase !== 'concluding' && phase !== 'taking_back',
);

/** A legal life, from the claim, of as many steps as there are choices. */
const lives = fc.array(fc.nat(), { maxLength: 20 }).map((choices) => {
  const life: AttemptPhase[] = ['claimed'];
  for (const choice of choices) {
    const from = life.at(-1) ?? 'claimed';
    const next = ATTEMPT_PHASES.filter((phase) => phase !== from && mayEnter(from, phase));
    if (next.length === 0) break;
    life.push(next[choice % next.length] ?? from);
  }
  return life;
});

describe('the phases of an attempt', () => {
  it.each(beforeTheEnd)('lead from %s to the conclusion at any time', (phase) => {
    expect(mayEnter(phase, 'concluding')).toBe(true);
  });

  it.each(beforeTheEnd)('never lead from the conclusion to %s', (phase) => {
    expect(mayEnter('concluding', phase)).toBe(false);
  });

  it.each(ATTEMPT_PHASES)('lead from %s to taking back what was made', (phase) => {
    expect(mayEnter(phase, 'taking_back')).toBe(true);
  });

  it.each(ATTEMPT_PHASES.filter((phase) => phase !== 'taking_back'))(
    'never lead from taking back what was made to %s',
    (phase) => {
      expect(mayEnter('taking_back', phase)).toBe(false);
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

it('an attempt that does what belongs to another phase ends the program', () => {
  expect(() => assertIsIn('5f0c', 'publishing', 'publishing')).not.toThrow();
  expect(() => assertIsIn('5f0c', 'concluding', 'publishing')).toThrow(
    'attempt 5f0c is concluding where it must be publishing',
  );
});

describe('what an attempt may leave behind', () => {
  it('is taken back in one order, whatever way it has come', () => {
    fc.assert(
      fc.property(lives, (life) => {
        const traces = tracesOf(life);
        expect(traces).toEqual(TRACES.filter((trace) => traces.includes(trace)));
      }),
    );
  });

  it('grows with each step, and never shrinks', () => {
    fc.assert(
      fc.property(lives, (life) => {
        const before = tracesOf(life.slice(0, -1));
        expect(tracesOf(life)).toEqual(expect.arrayContaining(before));
      }),
    );
  });

  it('is all of it in one phase or another', () => {
    expect(tracesOf(ATTEMPT_PHASES)).toEqual([...TRACES]);
  });

  it.each([
    ['processes', 'starting', 'a child may have been started'],
    ['place', 'preparing', 'its place may have been made'],
    ['history', 'claimed', 'its beginning may have been noted'],
    ['folders', 'publishing', 'a folder may have been renamed'],
    ['replaced', 'publishing', 'an earlier product may have been moved out of the way'],
    ['entries', 'concluding', 'a product may have been listed'],
  ] as const)('holds the %s from %s on: %s', (...[trace, phase]) => {
    fc.assert(
      fc.property(lives, (life) => {
        fc.pre(life.includes(phase));
        expect(tracesOf(life)).toContain(trace);
      }),
    );
  });

  it('goes in an order that may be cut: processes first, entries before folders, its place last', () => {
    const at = (trace: (typeof TRACES)[number]) => TRACES.indexOf(trace);
    expect(at('processes')).toBe(0);
    expect(at('replaced')).toBeLessThan(at('folders'));
    expect(at('entries')).toBeLessThan(at('folders'));
    expect(at('place')).toBe(TRACES.length - 1);
  });
});
