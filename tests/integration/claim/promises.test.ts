import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';

import type { RunAnswer, RunsAnswer } from '../../../src/readmodel/api.ts';
import type { Condition } from '../../../src/readmodel/run-condition.pure.ts';
import { DashboardProcess } from '../../support/dashboard.ts';
import { Lab, type ManagerProcess, PACKAGE, until } from '../../support/lab.ts';
import { smallMachine } from '../../support/small-machine.ts';
import { amount } from '../../support/tier.ts';

const HOSTS = ['alpha', 'beta', 'gamma'].map((name) => `${name}.test.local`);
const RUNS = amount({ daily: 28, nightly: 68 });
/** From the start of one run to that of the next. */
const RUN_EVERY_MS = 1000;
const LOOK_EVERY_MS = 200;
const WAITING: ReadonlySet<Condition> = new Set(['retrying', 'requeued']);
/** A promise that is kept by then is kept, seconds. */
const LATE_SECONDS = 5;
/** By the server's clock, whose times are whole milliseconds. */
const EARLY_SECONDS = 0.001;

/**
 * A run fails up to three times; between two attempts are one to seven seconds. What a host in trouble
 * does is proven elsewhere: here each has a free slot, as a fleet that keeps up has.
 */
const CONFIG = smallMachine({
  retry: { baseSeconds: 2 },
  host: { slots: 4 },
  quarantine: { runs: 1000 },
});

/** What the page of a waiting run says will happen, and when. */
interface Promised {
  run: number;
  at: Date;
  what: string;
}

/** Looks at the dashboard again and again, as somebody in front of it would. */
class Poller {
  readonly #promises = new Map<string, Promised>();
  readonly #looking: Promise<void>;
  #stopped = false;

  readonly #dashboard: DashboardProcess;

  constructor(dashboard: DashboardProcess) {
    this.#dashboard = dashboard;
    this.#looking = this.#lookOn();
    // Told by `stop`.
    this.#looking.catch(() => undefined);
  }

  async stop(): Promise<Promised[]> {
    this.#stopped = true;
    await this.#looking;
    return [...this.#promises.values()];
  }

  async #lookOn(): Promise<void> {
    while (!this.#stopped) {
      const { runs } = await this.#dashboard.json<RunsAnswer>('api/runs?limit=200');
      for (const { run, condition, nextRetry } of runs) {
        if (run === null || !WAITING.has(condition)) continue;
        if (this.#promises.has(`${run} ${nextRetry}`)) continue;
        const { explanation } = await this.#dashboard.json<RunAnswer>(`api/runs/${run}`);
        const { verdict, next } = explanation;
        if (verdict !== 'waiting' || next === null || next.at === null) continue;
        const { what, at } = next;
        this.#promises.set(`${run} ${at}`, { run, at: new Date(at), what });
      }
      await delay(LOOK_EVERY_MS);
    }
  }
}

let lab: Lab;
let dashboard: DashboardProcess;
beforeAll(async () => {
  lab = await Lab.start();
});
afterAll(async () => {
  await dashboard?.end();
  await lab.end();
});

async function manager(host: string): Promise<ManagerProcess> {
  const started = await lab.manager({
    host,
    context: 'restless:restless',
    config: CONFIG,
    env: { PYTHONPATH: join(PACKAGE, 'tests/support/contexts') },
  });
  await started.event('worker.ready');
  return started;
}

test('what is promised of waiting runs happens within seconds, while runs are taken and a host goes down', async () => {
  const [first] = await lab.takeRuns([
    ...['--seconds', '3', '--chunk-seconds', '1', '--speed', '0', '--rate', '5'],
  ]);
  const { _id, bootstrax, data, ...template } = await lab.run(first!);
  const folder = (number: number) => join(lab.live, String(number).padStart(6, '0'));
  await lab.runs.deleteOne({ _id });
  const managers = await Promise.all(HOSTS.map(manager));
  dashboard = await DashboardProcess.start(lab);
  const poller = new Poller(dashboard);

  const numbers = Array.from({ length: RUNS }, (_, i) => first! + 100 + i);
  for (const [i, number] of numbers.entries()) {
    await symlink(folder(first!), folder(number));
    const live = data.filter(({ type }) => type === 'live');
    await lab.insertRuns({ ...template, number, data: live, bootstrax: { state: null } });
    await delay(RUN_EVERY_MS);
    if (i === RUNS / 4) await managers[0]!.kill();
    if (i === RUNS / 2) await manager(HOSTS[0]!);
  }
  await until('all runs to be done', async () => {
    const done = await lab.runs.countDocuments({ 'bootstrax.state': 'done' });
    return done === RUNS;
  });
  const promises = await poller.stop();

  // It happens when a host begins the next attempt, by the server's clock.
  const attempts = await lab.attempts.find({}).sort({ started: 1 }).toArray();
  const startsOf = (run: number) =>
    (attempts as unknown as { run: number; started: Date }[])
      .filter((attempt) => attempt.run === run)
      .map(({ started }) => started);
  const lateness = promises.map(({ run, at, what }) => {
    expect(what).toBe('it is tried again');
    // The attempt that ended with this promise began long before.
    const starts = startsOf(run).filter((start) => start.getTime() > at.getTime() - 500);
    const seconds = starts[0] === undefined ? Infinity : (Number(starts[0]) - Number(at)) / 1000;
    return { run, at, seconds };
  });
  const sorted = lateness.map(({ seconds }) => seconds).sort((a, b) => a - b);
  const story = `${sorted.length} promises, kept after ${sorted.map((each) => each.toFixed(2)).join(', ')} s`;
  const wrong = lateness.filter(
    ({ seconds }) => seconds < -EARLY_SECONDS || seconds > LATE_SECONDS,
  );
  expect(sorted[0], story).toBeGreaterThanOrEqual(-EARLY_SECONDS);
  expect(wrong.length, `${JSON.stringify(wrong)}; ${story}`).toBeLessThanOrEqual(
    promises.length / 100,
  );
  // Nearly every wait was looked at: one of them is shorter than the poller's round now and then.
  const waits = attempts.length - RUNS;
  expect(promises.length, story).toBeGreaterThanOrEqual(0.9 * waits);
  expect(promises.length).toBeGreaterThanOrEqual(RUNS);
  process.stdout.write(
    `promises: ${promises.length} of ${waits}, median ${sorted[sorted.length >> 1]!.toFixed(2)} s late, at most ${sorted.at(-1)!.toFixed(2)} s\n`,
  );
}, 600_000);
