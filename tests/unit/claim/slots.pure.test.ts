import { describe, expect, test } from 'vitest';

import { freeSlots, slotsNow } from '../../../src/claim/slots.pure.ts';

const EARLY = '2026-03-01T12:00:00.000Z';
const LATE = '2026-03-01T12:10:00.000Z';
const host = (accepting: boolean, slots: number | null, runs: number[], freeSince = LATE) => ({
  ...{ accepting, slots, runs, freeSince },
});
const FREE = host(true, 1, [], EARLY);
const HALF = host(true, 2, [7]);
const FULL = host(true, 2, [7, 8]);
const DRAINED = host(false, 4, []);

describe('places for runs', () => {
  test.each([
    ['no host', [], 0, { kind: 'none' }],
    ['none that takes runs', [DRAINED], 0, { kind: 'none' }],
    ['all taken', [FULL, DRAINED], 0, { kind: 'full' }],
    ['one free', [FULL, HALF], 0, { kind: 'free', since: new Date(LATE) }],
    ['free for longest', [FREE, HALF], 1, { kind: 'free', since: new Date(EARLY) }],
    ['left to new runs', [FREE, HALF], 2, { kind: 'full' }],
    ['more new runs than places', [FREE], 5, { kind: 'full' }],
    ['of an older release', [host(true, null, [])], 0, { kind: 'free', since: new Date(LATE) }],
  ] as const)('%s', (_, hosts, waiting, expected) => {
    expect(slotsNow(hosts, waiting)).toEqual(expected);
  });

  test('are counted, and never negative', () => {
    expect(freeSlots([FREE, HALF, FULL, DRAINED])).toBe(2);
    expect(freeSlots([host(true, 1, [1, 2, 3])])).toBe(0);
  });
});
