import type { Run } from '../domain/run.ts';
import type { Environment } from './environment.ts';
import { unlessOutage } from './persist.ts';

/** Without a change stream the rate is asked for at this interval, so that a start is not kept waiting, seconds. */
const ASKING_SECONDS = 0.4;

export interface RateAnswer {
  /** MB/s over all detectors; null: not to be had in time. */
  rateMBps: number | null;
  waitedSeconds: number;
}

/**
 * The data rate of a run (reference, section 6.2): from its document, else from what the DAQ reports
 * while it is taken. A run must be `minRateAgeSeconds` old before its status says anything; asking
 * is given up after `maxRateSeconds` in all.
 */
export async function dataRate(
  env: Environment,
  run: Run,
  signal: AbortSignal,
): Promise<RateAnswer> {
  const begin = env.clock.monotonicSeconds();
  const waited = () => env.clock.monotonicSeconds() - begin;
  if (run.rateMBps !== null) return { rateMBps: run.rateMBps, waitedSeconds: 0 };

  const { minRateAgeSeconds, maxRateSeconds, rateIntervalSeconds } = env.rules.limits;
  // Found, or given up on.
  const over = new AbortController();
  void env.clock.sleep(maxRateSeconds, over.signal).then(() => over.abort());
  const limit = AbortSignal.any([signal, over.signal]);
  const now = await unlessOutage(env, 'server time', () => env.store.serverTime());
  const ageSeconds = now === null ? 0 : (now.getTime() - run.start.getTime()) / 1000;
  const tooYoung = Math.min(minRateAgeSeconds, minRateAgeSeconds - ageSeconds);
  if (tooYoung > 0) await env.clock.sleep(tooYoung, limit);
  let wake = new AbortController();
  let interval = env.changeStream ? rateIntervalSeconds : ASKING_SECONDS;
  const askOften = () => {
    interval = ASKING_SECONDS;
    wake.abort();
  };
  if (env.changeStream) {
    env.store.rates
      .watch(run.number, () => wake.abort(), limit)
      .then((end) => {
        if (end === 'unsupported') askOften();
      })
      .catch(askOften);
  }
  try {
    while (!limit.aborted) {
      wake = new AbortController();
      const rate = await unlessOutage(env, 'data rate', () => env.store.rates.ofRun(run.number));
      if (rate !== null) return { rateMBps: rate.total, waitedSeconds: waited() };
      await env.clock.sleep(interval, AbortSignal.any([limit, wake.signal]));
    }
    return { rateMBps: null, waitedSeconds: waited() };
  } finally {
    over.abort();
  }
}
