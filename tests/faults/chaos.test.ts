import { resolve } from 'node:path';
import { expect, test } from 'vitest';

import { PACKAGE } from '../support/lab.ts';
import { lacking, SERVER_IS_GIVEN } from '../support/lacking.ts';
import { chaos } from './chaos/chaos.ts';
import { FAULTS, schedule } from './chaos/schedule.ts';

const SEED = 11;
const SECONDS = 55;

test('the schedule of the faults follows from the seed, and has every kind in it', () => {
  expect(schedule(SEED, SECONDS)).toEqual(schedule(SEED, SECONDS));
  expect(schedule(SEED + 1, SECONDS)).not.toEqual(schedule(SEED, SECONDS));
  const kinds = new Set(schedule(SEED, 600).map(({ kind }) => kind));
  expect([...kinds].sort()).toEqual(Object.keys(FAULTS).sort());
});

test.skipIf(lacking(SERVER_IS_GIVEN))(
  'whatever is killed or stopped: every run is done once, with the right data, and nothing is left behind',
  { timeout: 600_000 },
  async () => {
    const told: string[] = [];
    const report = await chaos({
      seed: SEED,
      seconds: SECONDS,
      say: (line) => told.push(line),
      logFile: resolve(PACKAGE, `.bench/chaos-${SEED}.log`),
    });
    const hit = report.struck.filter(({ missed }) => !missed);
    expect(report.problems, told.join('\n')).toEqual([]);
    expect(report.done + report.givenUp).toBe(report.runs);
    // Otherwise there was no chaos to withstand.
    expect(report.runs).toBeGreaterThan(10);
    expect(hit.length).toBeGreaterThan(10);
    expect(new Set(hit.map(({ kind }) => kind)).size).toBeGreaterThan(5);
    expect(report.recoveries.length).toBeGreaterThan(3);
  },
);
