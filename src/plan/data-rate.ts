import { Wake } from '../infra/concurrency/wake.ts';
import type { Environment } from '../ports/environment.ts';
import { unlessOutage } from '../ports/persist.ts';
import type { Run } from '../run/run.pure.ts';
import { followsRate, rateWait, statusSinceSeconds } from './data-rate.pure.ts';

/** Without a change stream the rate is read at this interval, so that a start does not wait long. */
const READ_SECONDS = 0.4;

export interface RateAnswer {
  /** MB/s over all detectors; null: not to be had in time. */
  rateMBps: number | null;
  /** Why it is not known; null where it is, or where the resources do not follow it. */
  unknown: string | null;
}

/**
 * The data rate of a run (reference, section 6.2): from its document, else from what the DAQ reports
 * while it is taken. It is waited for only where it is used and can still come.
 */
export async function dataRate(
  env: Environment,
  run: Run,
  signal: AbortSignal,
): Promise<RateAnswer> {
  if (run.rateMBps !== null) return { rateMBps: run.rateMBps, unknown: null };
  const begin = env.clock.monotonicSeconds();
  const wait = rateWait(await facts(env, run), env.rules, env.resourceTable);
  if (wait.kind === 'as_it_is') {
    const now = await unlessOutage(env, 'data rate', () => env.store.rates.ofRun(run.number));
    if (now !== null) return { rateMBps: now.total, unknown: null };
    const needed = followsRate(env.rules.resources, env.resourceTable);
    return { rateMBps: null, unknown: needed ? wait.why : null };
  }
  // Found, or given up on.
  const over = new AbortController();
  env.tasks.start('the wait for a data rate', async () => {
    await env.clock.sleep(wait.limitSeconds, over.signal);
    over.abort();
  });
  const limit = AbortSignal.any([signal, over.signal]);
  try {
    if (wait.firstSeconds > 0) await env.clock.sleep(wait.firstSeconds, limit);
    const rateMBps = await askUntil(env, run, limit);
    if (rateMBps !== null) return { rateMBps, unknown: null };
    const waited = env.clock.monotonicSeconds() - begin;
    return { rateMBps: null, unknown: `the DAQ reported none within ${waited.toFixed(1)} s` };
  } finally {
    over.abort();
  }
}

/** What cannot be found out because the database is away is not known: then the rate may come. */
async function facts(env: Environment, run: Run) {
  const unknown = { ended: run.end !== null, ageSeconds: null, daqReports: null };
  if (unknown.ended || !followsRate(env.rules.resources, env.resourceTable)) return unknown;
  const now = await unlessOutage(env, 'server time', () => env.store.serverTime());
  if (now === null) return unknown;
  const ageSeconds = (now.getTime() - run.start.getTime()) / 1000;
  const sinceSeconds = statusSinceSeconds(ageSeconds, env.rules.limits);
  const since = new Date(now.getTime() - sinceSeconds * 1000);
  const daqReports = await unlessOutage(env, 'status of the DAQ', () =>
    env.store.rates.anySince(since),
  );
  return { ...unknown, ageSeconds, daqReports };
}

async function askUntil(env: Environment, run: Run, limit: AbortSignal): Promise<number | null> {
  const wake = new Wake(env.clock);
  let interval = env.changeStream ? env.rules.limits.rateIntervalSeconds : READ_SECONDS;
  const askOften = () => {
    interval = READ_SECONDS;
    wake.notify();
  };
  if (env.changeStream) {
    env.tasks.start('the change stream of data rates', async () => {
      try {
        const end = await env.store.rates.watch(run.number, () => wake.notify(), limit);
        if (end === 'unsupported') askOften();
      } catch {
        askOften();
      }
    });
  }
  while (!limit.aborted) {
    const rate = await unlessOutage(env, 'data rate', () => env.store.rates.ofRun(run.number));
    if (rate !== null) return rate.total;
    await wake.wait(interval, limit);
  }
  return null;
}
