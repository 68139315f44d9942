import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';

import { CRASH_POINTS } from '../../src/infra/crash-points/points.ts';
import { WarmPython } from '../support/warm-python.ts';
import { ALARM_POINTS, MAINTENANCE_POINTS } from './crash-points/elsewhere.ts';
import { Lane, Lanes } from './crash-points/lane.ts';
import { SCENARIOS } from './crash-points/scenarios.ts';
import { Trial } from './crash-points/trial.ts';

/** Trials at the same time; two cores are kept busy though some wait. */
const LANES = 3;

/** Waiting for a laboratory counts. */
const TIMEOUT_MS = 600_000;

const CASES = SCENARIOS.flatMap((scenario) =>
  scenario.points.map((cut) => ({ cut, scenario, name: scenario.name })),
);

test('each point of the list is cut at', () => {
  const here = CASES.map(({ cut }) => cut.replace(/#\d+$/, ''));
  const reached = new Set<string>([...here, ...ALARM_POINTS, ...MAINTENANCE_POINTS]);
  expect(CRASH_POINTS.filter((point) => !reached.has(point))).toEqual([]);
});

describe.concurrent('wherever the power is cut, the next start comes to the same end', () => {
  let folder: string;
  let python: WarmPython;
  let lanes: Lanes;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'bootstrax-warm-'));
    python = await WarmPython.start(folder);
    const started = Array.from({ length: LANES }, () => Lane.start(python.path));
    lanes = new Lanes(await Promise.all(started));
  });
  afterAll(async () => {
    await lanes.end();
    await python.end();
    await rm(folder, { recursive: true });
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
