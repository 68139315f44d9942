import { afterEach, expect, test, vi } from 'vitest';

import type * as ownership from '../../src/domain/ownership.ts';
import type * as sameNumber from '../../src/domain/same-number.ts';
import { simulate } from './simulation.ts';
import type { World } from './worlds.ts';

// Decisions as they were before: each test puts one of them back.
const old = vi.hoisted(() => ({ removeByPath: false, numbersNotCompared: false }));

vi.mock('../../src/domain/ownership.ts', async (original) => {
  const now = await original<typeof ownership>();
  const mayRemove: typeof now.mayRemove = (...asked) =>
    old.removeByPath ? { kind: 'yes' } : now.mayRemove(...asked);
  return { ...now, mayRemove };
});

vi.mock('../../src/domain/same-number.ts', async (original) => {
  const now = await original<typeof sameNumber>();
  const mayBegin: typeof now.mayBegin = (...asked) =>
    old.numbersNotCompared ? { kind: 'yes' } : now.mayBegin(...asked);
  return { ...now, mayBegin };
});

/** Simulates such nights one after the other until one of these losses is found; answers whether one was. */
async function finds(world: World, losses: readonly string[], mostSeeds: number): Promise<boolean> {
  for (let seed = 0; seed < mostSeeds; seed++) {
    const { violations } = await simulate(seed, { worlds: [world] });
    if (violations.some(({ invariant }) => losses.includes(invariant))) return true;
  }
  return false;
}

/** Enough for each loss to be found several times over. */
const MOST_SEEDS = 400;
const LIMIT_MS = 600_000;

afterEach(() => {
  Object.assign(old, { removeByPath: false, numbersNotCompared: false });
});

test.each<[World, string[]]>([
  ['shared output', ['finished products stay', 'done has its data', 'one effective owner']],
  ['twins', ['finished products stay', 'done has its data', 'one effective owner']],
])(
  'with folders removed by their path alone products are lost: %s',
  async (world, losses) => {
    old.removeByPath = true;
    expect(await finds(world, losses, MOST_SEEDS)).toBe(true);
  },
  LIMIT_MS,
);

test(
  'with numbers that are not compared a run is begun whose number another is done with',
  async () => {
    old.numbersNotCompared = true;
    expect(await finds('recount', ['one number, one document'], MOST_SEEDS)).toBe(true);
  },
  LIMIT_MS,
);
