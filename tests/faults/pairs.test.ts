import { expect, test } from 'vitest';

import { lacking, SERVER_IS_GIVEN } from '../support/lacking.ts';
import { Pairs } from './pairs/pairs.ts';
import { BLOWS, describeRound, roundPlan, SPELLINGS } from './pairs/round-plan.ts';

/** A few rounds, of ours and of ours with the reference; `make pairs` plays many more. */
const SEEDS = [101, 102, 103];
const MANY = Array.from({ length: 300 }, (_, seed) => roundPlan(seed, { mayUnshare: true }));

test('who meets whom and what is done to them follows from the seed, and has every kind in it', () => {
  expect(roundPlan(7, { mayUnshare: true })).toEqual(MANY[7]);
  expect(MANY[8]).not.toEqual(MANY[7]);
  const seats = MANY.flatMap((plan) => plan.seats);
  expect(new Set(seats.map(({ kind }) => kind))).toEqual(new Set(['ours', 'reference']));
  expect(new Set(seats.map(({ spelling }) => spelling))).toEqual(new Set(SPELLINGS));
  expect(new Set(seats.map(({ isApart }) => isApart))).toEqual(new Set([true, false]));
  const kinds = MANY.flatMap(({ blows }) => blows.map(({ kind }) => kind));
  expect([...new Set(kinds)].sort()).toEqual(Object.keys(BLOWS).sort());
  const same = MANY.map(({ seats: [one, two] }) =>
    [one.host === two.host, one.output === two.output, one.state === two.state].join(),
  );
  expect(new Set(same).size).toBe(8);
});

test.skipIf(lacking(SERVER_IS_GIVEN))(
  'two managers that meet, killed and stopped: a done run has all its products, and keeps them',
  async () => {
    const pairs = await Pairs.start();
    try {
      for (const seed of SEEDS) {
        const { problems, story } = await pairs.round(seed);
        const what = describeRound(roundPlan(seed, { mayUnshare: true }));
        expect(problems, `seed ${seed}: ${what}\n${story}`).toEqual([]);
      }
    } finally {
      await pairs.end();
    }
  },
);
