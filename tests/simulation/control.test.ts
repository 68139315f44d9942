import { describe, expect, test } from 'vitest';

import type { Options, StoreOf } from './options.ts';
import { Random } from './random.ts';
import { withReferenceOrder } from './reference-order.ts';
import { simulate } from './simulation.ts';
import { WORLDS, worldsOf } from './worlds.ts';

/** Enough for each of them to be found many times over. */
const MOST_SEEDS = 2000;

/**
 * Simulates seed after seed until each of these has been found; answers those that were. Nights known
 * to have them are the first, to save time: any others would do.
 */
async function found(
  wanted: readonly string[],
  options: Options,
  first: readonly number[],
): Promise<string[]> {
  const seen = new Set<string>();
  const seeds = new Set([...first, ...Array(MOST_SEEDS).keys()]);
  for (const seed of seeds) {
    if (wanted.every((name) => seen.has(name))) break;
    const { violations } = await simulate(seed, { worlds: [], ...options, goOn: true });
    for (const { invariant } of violations) seen.add(invariant);
  }
  return wanted.filter((name) => seen.has(name));
}

describe('the simulation finds what is wrong', () => {
  test('with the order of writes of the program before this one: a stuck claim, an undone abandon, done without status', async () => {
    const known = ['no claim is stuck', 'abandoned stays abandoned', 'done has its status'];
    expect(await found(known, { storeOf: withReferenceOrder }, [0, 1, 2])).toEqual(known);
  }, 600_000);

  test('with writes that ask for no owner', async () => {
    const known = ['one effective owner'];
    expect(await found(known, { storeOf: withReferenceOrder }, [2])).toEqual(known);
  }, 600_000);

  test('with retries that nobody finds', async () => {
    const forgetful: StoreOf = (store) => ({
      ...store,
      runs: { ...store.runs, retryDue: () => Promise.resolve([]) },
    });
    const known = ['explain keeps its promises', 'no run is stuck'];
    expect(await found(known, { storeOf: forgetful }, [1])).toEqual(known);
  }, 600_000);
});

test('the seeds of the suite meet each world as often as any other', () => {
  const met = new Map<string, number>();
  for (let seed = 0; seed < 600; seed++) {
    for (const world of worldsOf(new Random(seed))) met.set(world, (met.get(world) ?? 0) + 1);
  }
  for (const world of WORLDS) expect(met.get(world), world).toBeGreaterThan(15);
});

test('a seed brings the same night again', async () => {
  const nights = await Promise.all([0, 1].map(() => simulate(7, { trace: true })));
  expect(nights[0]!.trace.length).toBeGreaterThan(20);
  expect(nights[1]!.trace).toEqual(nights[0]!.trace);
});
