import { expect, it } from 'vitest';

import { defaultRules, type Rules } from '../../../src/infra/config/rules.pure.ts';
import { rateWait } from '../../../src/plan/data-rate.pure.ts';
import { dataRate } from '../../../src/plan/data-rate.ts';
import type { Environment } from '../../../src/ports/environment.ts';
import type { Run } from '../../../src/run/run.pure.ts';
import { HandTasks } from '../../support/hand-tasks.ts';

const START = Date.UTC(2026, 0, 1);

/** A DAQ whose status has the rate of a run from some second on; time passes only while one waits. */
function stage(
  ageSeconds: number,
  rateAfterSeconds: number,
  { daqReports = true, byRate = true } = {},
) {
  let seconds = 0;
  const timers: { at: number; ring: () => void }[] = [];
  const pass = async (): Promise<void> => {
    for (;;) {
      for (let i = 0; i < 50; i++) await Promise.resolve();
      const next = timers.sort((a, b) => a.at - b.at).shift();
      if (next === undefined) return;
      seconds = Math.max(seconds, next.at);
      next.ring();
    }
  };
  const environment = {
    changeStream: false,
    rules: { ...defaultRules, resources: { ...defaultRules.resources, byRate } },
    resourceTable: 'new',
    log: { debug: () => undefined },
    tasks: new HandTasks(),
    clock: {
      monotonicSeconds: () => seconds,
      sleep: (duration: number, signal?: AbortSignal) =>
        new Promise<void>((ring) => {
          if (signal?.aborted) return ring();
          timers.push({ at: seconds + duration, ring });
          signal?.addEventListener('abort', () => ring());
        }),
    },
    store: {
      serverTime: () => Promise.resolve(new Date(START + ageSeconds * 1000)),
      rates: {
        anySince: () => Promise.resolve(daqReports),
        ofRun: () =>
          Promise.resolve(seconds >= rateAfterSeconds ? { total: 42, detectors: {} } : null),
      },
    },
  } as unknown as Environment;
  return { environment, pass, seconds: () => seconds };
}

const run = (rateMBps: number | null, end: Date | null = null) =>
  ({ number: 1, start: new Date(START), end, rateMBps }) as unknown as Run;

// Reference, section 6.2: at least 7.5 s into the run; given up after 60 s in all.
it.each<[ageSeconds: number, rateAfterSeconds: number, rate: number | null, waited: number]>([
  [100, 0, 42, 0],
  [100, 10, 42, 10],
  [0, 0, 42, 7.5],
  [5, 0, 42, 2.5],
  [0, Infinity, null, 60],
  [100, Infinity, null, 60],
])('%s s into the run, rate there after %s s', async (age, after, rate, waited) => {
  const { environment, pass, seconds } = stage(age, after);
  let answeredAt = NaN;
  const answer = dataRate(environment, run(null), new AbortController().signal).finally(() => {
    answeredAt = seconds();
  });
  await pass();
  const { rateMBps } = await answer;
  expect(rateMBps).toBe(rate);
  expect(Math.abs(answeredAt - waited)).toBeLessThan(0.5);
});

it('is taken from the document where it is there, without waiting', async () => {
  const { environment } = stage(0, Infinity);
  const answer = await dataRate(environment, run(7), new AbortController().signal);
  expect(answer).toEqual({ rateMBps: 7, unknown: null });
});

const ENDED = new Date(START + 50_000);

it.each<[what: string, end: Date | null, options: object, unknown: string | null]>([
  ['the resources do not follow it', null, { byRate: false }, null],
  ['the run has ended', ENDED, {}, 'the run has ended, and its document has none'],
  ['the DAQ reports no rates', null, { daqReports: false }, 'the DAQ writes no aggregate_status'],
])('a start does not wait for a rate where %s', async (_, end, options, unknown) => {
  // None of these answers needs a timer: time stands still here.
  for (const [rateAfter, rate] of [
    [Infinity, null],
    [0, 42],
  ] as const) {
    const { environment } = stage(100, rateAfter, options);
    const answer = await dataRate(environment, run(null, end), new AbortController().signal);
    expect(answer).toEqual({ rateMBps: rate, unknown: rate === null ? unknown : null });
  }
});

it('the rate is waited for only by a run that is being taken, of a DAQ that reports or may report', () => {
  const rules = (byRate: boolean): Rules => ({
    ...defaultRules,
    resources: { ...defaultRules.resources, byRate },
  });
  const waits: unknown[] = [];
  for (const byRate of [true, false]) {
    for (const table of ['new', 'absent']) {
      for (const ended of [true, false]) {
        for (const daqReports of [true, false, null]) {
          const wait = rateWait({ ended, ageSeconds: 5, daqReports }, rules(byRate), table);
          if (wait.kind === 'wait') waits.push({ byRate, table, ended, daqReports, ...wait });
        }
      }
    }
  }
  const wait = { kind: 'wait', firstSeconds: 2.5, limitSeconds: 60 };
  expect(waits).toEqual([
    { byRate: true, table: 'new', ended: false, daqReports: true, ...wait },
    { byRate: true, table: 'new', ended: false, daqReports: null, ...wait },
  ]);
});
