import { describe, expect, it } from 'vitest';

import { type Silence, silencesOf } from '../../../src/readmodel/silences.pure.ts';

const LIMITS = { keptEverySeconds: 300, presumedDeadSeconds: 120 };
const every = (step: number, from: number, to: number) =>
  Array.from({ length: Math.floor((to - from) / step) + 1 }, (_, i) => from + i * step);

const CASES: { what: string; at: number[]; now: number; silences: Silence[] }[] = [
  { what: 'no heartbeat is no silence: nothing is known', at: [], now: 9000, silences: [] },
  { what: 'one heartbeat just now', at: [8995], now: 9000, silences: [] },
  {
    what: 'a host that fell silent, up to now',
    at: every(9, 8000, 8099),
    now: 9000,
    silences: [{ from: 8099, to: null }],
  },
  {
    what: 'thinned heartbeats of the past and dense ones of late',
    at: [...every(300, 0, 7800), ...every(9, 8000, 8999)],
    now: 9000,
    silences: [],
  },
  { what: 'one kept heartbeat that was missed', at: [0, 600], now: 610, silences: [] },
  {
    what: 'a host that was away and came back',
    at: [...every(9, 0, 900), ...every(9, 2700, 2997)],
    now: 3000,
    silences: [{ from: 900, to: 2700 }],
  },
];

describe('The silences of a host', () => {
  it.each(CASES)('are told: $what', ({ at, now, silences }) => {
    expect(silencesOf(at, now, LIMITS)).toEqual(silences);
  });
});
