import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';

import { CRASH_POINTS } from '../../src/crash-points/points.ts';
import { Lane, Lanes } from './crash-points/lane.ts';
import { SCENARIOS } from './crash-points/scenarios.ts';
import { Trial } from './crash-points/trial.ts';

/** Trials at the same time; two cores are kept busy though some wait. */
const LANES = 3;

/** Waiting for a laboratory counts. */
const TIMEOUT_MS = 300_000;

const CASES = SCENARIOS.flatMap((scenario) =>
  scenario.points.map((cut) => ({ cut, scenario, name: scenario.name })),
);

test('each point of the list is cut at', () => {
  const reached = new Set(CASES.map(({ cut }) => cut.replace(/#\d+$/, '')));
  expect(CRASH_POINTS.filter((point) => !reached.has(point))).toEqual([]);
});

describe.concurrent('wherever the power is cut, the next start comes to the same end', () => {
  let lanes: Lanes;
  beforeAll(async () => {
    lanes = new Lanes(await Promise.all(Array.from({ length: LANES }, () => Lane.start())));
  });
  afterAll(() => lanes.end());

  it.each(CASES)(
    '$cut ($name)',
    async ({ cut, scenario }) => {
      await lanes.use(async (lane) => {
        const trial = await Trial.begin(lane);
        try {
          await scenario.toTheCut(trial, cut);
          await trial.manager(scenario.restart);
          await scenario.afterwards?.(trial);
          await trial.done();
          await trial.expectTheEndState(scenario.failures);
        } finally {
          await trial.end();
        }
      });
    },
    TIMEOUT_MS,
  );
});
