import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';

import { CRASH_POINTS } from '../../src/infra/crash-points/points.ts';
import { sharedPython } from '../support/shared-python.ts';
import { IS_NIGHTLY } from '../support/tier.ts';
import { ALL_CASES, DAILY_CASES, writeOf } from './crash-points/cases.ts';
import {
  ALARM_POINTS,
  MAINTENANCE_POINTS,
  PICTURE_POINTS,
  SLURM_POINTS,
} from './crash-points/elsewhere.ts';
import { Lane, Lanes } from './crash-points/lane.ts';
import { Trial } from './crash-points/trial.ts';

/** Trials at the same time; two cores are kept busy though some wait. */
const LANES = 3;

/** Waiting for a laboratory counts. */
const TIMEOUT_MS = 600_000;

const CASES = IS_NIGHTLY ? ALL_CASES : DAILY_CASES;

test('the nightly tier cuts at each point of the list', () => {
  const here = ALL_CASES.map(({ cut }) => cut.replace(/#\d+$/, ''));
  const reached = new Set<string>([
    ...here,
    ...ALARM_POINTS,
    ...MAINTENANCE_POINTS,
    ...PICTURE_POINTS,
    ...SLURM_POINTS,
  ]);
  expect(CRASH_POINTS.filter((point) => !reached.has(point))).toEqual([]);
});

test('the daily tier cuts at each write, and in each scenario', () => {
  const writes = new Set(DAILY_CASES.map(({ cut }) => writeOf(cut)));
  expect(ALL_CASES.filter(({ cut }) => !writes.has(writeOf(cut)))).toEqual([]);
  const scenarios = new Set(DAILY_CASES.map(({ name }) => name));
  expect(ALL_CASES.filter(({ name }) => !scenarios.has(name))).toEqual([]);
});

describe.concurrent('wherever the power is cut, the next start comes to the same end', () => {
  let lanes: Lanes;
  beforeAll(async () => {
    const python = await sharedPython();
    const started = Array.from({ length: LANES }, () => Lane.start(python!));
    lanes = new Lanes(await Promise.all(started));
  });
  afterAll(async () => {
    await lanes.end();
  });

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
          await trial.expectTheEndState(scenario.failures, scenario);
        } finally {
          await trial.end();
        }
      });
    },
    TIMEOUT_MS,
  );
});
