import { expect, it } from 'vitest';

import { defaultRules } from '../../../src/domain/rules.ts';
import type { Run } from '../../../src/domain/run.ts';
import { dataRate } from '../../../src/manager/data-rate.ts';
import type { Environment } from '../../../src/manager/environment.ts';

const START = Date.UTC(2026, 0, 1);

/** A DAQ whose status has the rate of a run from some second on; time passes only while one waits. */
function stage(ageSeconds: number, rateAfterSeconds: number) {
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
    rules: defaultRules,
    log: { debug: () => undefined },
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
        ofRun: () =>
          Promise.resolve(seconds >= rateAfterSeconds ? { total: 42, detectors: {} } : null),
      },
    },
  } as unknown as Environment;
  return { environment, pass };
}

const run = (rateMBps: number | null) =>
  ({ number: 1, start: new Date(START), rateMBps }) as unknown as Run;

// Reference, section 6.2: at least 7.5 s into the run; given up after 60 s in all.
it.each<[ageSeconds: number, rateAfterSeconds: number, rate: number | null, waited: number]>([
  [100, 0, 42, 0],
  [100, 10, 42, 10],
  [0, 0, 42, 7.5],
  [5, 0, 42, 2.5],
  [0, Infinity, null, 60],
  [100, Infinity, null, 60],
])('%s s into the run, rate there after %s s', async (age, after, rate, waited) => {
  const { environment, pass } = stage(age, after);
  const answer = dataRate(environment, run(null), new AbortController().signal);
  await pass();
  const { rateMBps, waitedSeconds } = await answer;
  expect(rateMBps).toBe(rate);
  expect(Math.abs(waitedSeconds - waited)).toBeLessThan(0.5);
});

it('is taken from the document where it is there, without waiting', async () => {
  const { environment } = stage(0, Infinity);
  const answer = await dataRate(environment, run(7), new AbortController().signal);
  expect(answer).toEqual({ rateMBps: 7, waitedSeconds: 0 });
});
