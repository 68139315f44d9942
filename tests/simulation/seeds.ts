import { expect } from 'vitest';

import { amount } from '../support/tier.ts';
import { simulate } from './simulation.ts';

/** All seeds of a test run together; `SIMULATION_SEEDS` for others, and `make simulation` for ten thousand. */
const SEEDS = Number(process.env['SIMULATION_SEEDS'] ?? amount({ daily: 200, nightly: 600 }));
/** So many that go wrong tell enough. */
const MOST_TOLD = 5;

/** Simulates every `step`-th seed from `first` on; fails with what went wrong and how to see it again. */
export async function expectNothingGoesWrong(first: number, step: number): Promise<void> {
  const wrong: string[] = [];
  for (let seed = first; seed < SEEDS && wrong.length < MOST_TOLD; seed += step) {
    const { violations } = await simulate(seed);
    const [violation] = violations;
    if (violation === undefined) continue;
    const { invariant, what, atSeconds } = violation;
    wrong.push(
      `seed ${seed}, after ${atSeconds.toFixed(1)} s, "${invariant}": ${what}\n  all of it: npm run simulate -- --seed ${seed}`,
    );
  }
  expect(wrong.join('\n')).toBe('');
}
