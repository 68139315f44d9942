import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { uptime } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { Lab, type ManagerProcess, PYTHON, type StoredRun, until } from '../support/lab.ts';
import { type Lack, lacking } from '../support/lacking.ts';
import { ALPHA, attemptProcesses, BETA, config, doneOnce, SHORT_RUN } from './support.ts';

const LIBRARY = [
  '/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1',
  '/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1',
  '/usr/lib64/faketime/libfaketime.so.1',
  '/usr/lib/faketime/libfaketime.so.1',
].find((path) => existsSync(path));
const NO_LIBRARY: Lack | null =
  LIBRARY === undefined
    ? { why: 'libfaketime is missing: apt-get install faketime', isProgram: true }
    : null;

/**
 * libfaketime moves the monotonic clock along, by a constant that nobody can see as long as it does
 * not fall below zero (leaving it alone breaks Python's `time.sleep`).
 */
const HOUR = 3600;
const LEASE_SECONDS = 4;
const AFTER_END_SECONDS = 8;
const CONFIG = config({
  limits: {
    busyLeaseSeconds: LEASE_SECONDS,
    consideringLeaseSeconds: LEASE_SECONDS,
    housekeepingSeconds: 1,
    maxAfterEndSeconds: AFTER_END_SECONDS,
  },
  retry: { baseSeconds: 2, growth: 1 },
});
const LIVE_RUN = ['--seconds', '12', '--speed', '1', '--chunk-seconds', '1'];
/** A clock that is right is right within this, seconds. */
const RIGHT_SECONDS = 60;

describe.skipIf(lacking(NO_LIBRARY)).each([
  ['ahead', HOUR],
  ['behind', -Math.min(HOUR, Math.floor(uptime()) - 2 * RIGHT_SECONDS)],
])('one host’s clock is an hour %s', (_which, skewSeconds) => {
  let lab: Lab;
  let alpha: ManagerProcess;
  let beta: ManagerProcess;
  const skewed = {
    // A process of its own, and not a fork of one whose clock is right.
    BOOTSTRAX_PYTHON: PYTHON,
    LD_PRELOAD: LIBRARY ?? '',
    FAKETIME: `${skewSeconds > 0 ? '+' : ''}${skewSeconds}s`,
  };
  const startAlpha = () => lab.manager({ host: ALPHA, config: CONFIG, env: skewed });
  const stale = () =>
    [alpha, beta].flatMap(({ lines }) => lines.filter((line) => line['event'] === 'run.stale'));
  const isRight = (time: Date | undefined) =>
    Math.abs(Number(time) - Date.now()) < RIGHT_SECONDS * 1000;

  beforeAll(async () => {
    lab = await Lab.start();
    alpha = await startAlpha();
    await alpha.event('worker.ready');
  });
  afterAll(async () => {
    await alpha.kill();
    for (const { pid } of attemptProcesses(lab)) process.kill(pid, 'SIGKILL');
    await lab.end();
  });

  test('claims, heartbeats and times are right, and nobody takes the run away', async () => {
    const [line] = alpha.lines;
    const off = (Date.parse(String(line!['time'])) - Date.now()) / 1000;
    expect(Math.abs(off - skewSeconds), 'the manager’s clock is wrong').toBeLessThan(RIGHT_SECONDS);

    const taking = lab.takeRuns(LIVE_RUN);
    const started = await alpha.event('attempt.started');
    const number = Number(started['run']);
    beta = await lab.manager({ host: BETA, config: CONFIG });
    await beta.event('worker.ready');
    const busy = await lab.run(number);
    expect(busy.bootstrax.host).toBe(ALPHA);
    expect(isRight(busy.bootstrax.time)).toBe(true);
    expect(isRight(busy.bootstrax.started_processing)).toBe(true);
    const sign = await lab.client
      .db(lab.daqDb)
      .collection<{ time: Date }>('eb_monitor')
      .findOne({ host: ALPHA }, { sort: { _id: -1 } });
    expect(isRight(sign?.time)).toBe(true);
    await taking;
    const run = await doneOnce(lab, number);
    expect(run.bootstrax.host).toBe(ALPHA);
    expect(stale()).toEqual([]);
    await theWorkerWasWrongToo(run);
    const [attempt] = await lab.attempts.find({ run: number }).toArray();
    const { seconds } = attempt!.result as unknown as { seconds: number };
    expect(seconds).toBeGreaterThan(0);
    expect(seconds).toBeLessThan(RIGHT_SECONDS);
  });

  /** strax notes the end of writing by the wall clock. */
  async function theWorkerWasWrongToo(run: StoredRun): Promise<void> {
    const entry = run.data.find(({ type }) => type === 'raw_records');
    const folder = String(entry!['location']);
    const file = (await readdir(folder)).find((name) => name.endsWith('metadata.json'));
    const metadata = JSON.parse(await readFile(join(folder, file!), 'utf8')) as {
      writing_ended: number;
    };
    const off = metadata.writing_ended - Date.now() / 1000;
    expect(Math.abs(off - skewSeconds), 'the worker’s clock is wrong').toBeLessThan(RIGHT_SECONDS);
  }

  test('both take runs, and each is done once', async () => {
    const numbers = await lab.takeRuns([...SHORT_RUN, '--runs', '4', '--gap-seconds', '0']);
    for (const number of numbers) await doneOnce(lab, number);
    expect(stale()).toEqual([]);
  });

  test('the run of a host that is gone is taken over after the lease, not before', async () => {
    await alpha.kill('SIGTERM');
    const known = beta.lines.length;
    const taking = lab.takeRuns(LIVE_RUN);
    const started = await until('beta to start the run', () =>
      beta.lines.slice(known).find((line) => line['event'] === 'attempt.started'),
    );
    const number = Number(started['run']);
    // Its worker may still be warming up: the run must not be over before its host is gone.
    alpha = await startAlpha();
    await alpha.event('manager.ready');
    await beta.kill();
    for (const { pid } of attemptProcesses(lab)) process.kill(pid, 'SIGKILL');
    const { time } = (await lab.run(number)).bootstrax;
    await alpha.event('run.stale', { run: number });
    expect(Date.now() - Number(time)).toBeGreaterThan(LEASE_SECONDS * 1000);
    await taking;
    const run = await lab.reached(number, ['done']);
    expect(run.bootstrax.host).toBe(ALPHA);
    expect(run.bootstrax).not.toHaveProperty('n_failures');
  });

  test('the limit after the end of a run holds, and the next attempt begins when it is due', async () => {
    const [number] = await lab.takeRuns([...SHORT_RUN, '--fault', 'no-the-end']);
    const begun = await alpha.event('attempt.started', { run: number });
    const failed = await lab.reached(number!, ['failed']);
    const { reason, n_failures, next_retry, time } = failed.bootstrax;
    expect(reason).toContain('too long after its end');
    expect(n_failures).toBe(1);
    expect(isRight(next_retry)).toBe(true);
    // Half to three halves of the delay.
    expect(Number(next_retry) - Number(time)).toBeGreaterThan(900);
    expect(Number(next_retry) - Number(time)).toBeLessThan(3100);
    const next = await until('the next attempt', async () =>
      lab.attempts.findOne<{ started: Date }>({
        run: number!,
        _id: { $ne: String(begun['attempt']) },
      }),
    );
    const late = Number(next.started) - Number(next_retry);
    expect(late).toBeGreaterThan(-100);
    expect(late).toBeLessThan(15_000);
  });
});
