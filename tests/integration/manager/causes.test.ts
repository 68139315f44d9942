import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';

import { Lab, SMALL_MACHINE, until } from '../../support/lab.ts';

const PATIENCE_MS = 240_000;
const TAKE = ['--seconds', '3', '--chunk-seconds', '1', '--speed', '0', '--rate', '5'];
const FAILING = `[worker]\ncontext_options = { fail_in = "event_basics" }\n${SMALL_MACHINE}`;

let lab: Lab;
beforeAll(async () => {
  lab = await Lab.start();
});
afterEach(() => lab.endManagers());
afterAll(() => lab.end());

/** One attempt at a run on a host, to its end. */
async function attemptOn(host: string, run: number, config: string): Promise<void> {
  const manager = await lab.manager({ host, config });
  await manager.event('attempt.ended', { run });
  await manager.kill();
}

async function json(args: string[]): Promise<Record<string, unknown>> {
  const { stdout } = await lab.command([...args, '--json'], { config: FAILING });
  return JSON.parse(stdout) as Record<string, unknown>;
}

test(
  'what a failure means is in history, explanation, list of failures and log; two hosts blame the run',
  async () => {
    const later = FAILING.replace('base_seconds = 0.2', 'base_seconds = 3600');
    const [run] = await lab.takeRuns(TAKE);
    await attemptOn('alpha.test.local', run!, later);
    const meaning = {
      ...{ class: 'plugin_error', plugin: 'event_basics', whose: 'run' },
      ...{ sheddingHelps: true, lessMemory: false },
    };
    expect((await json(['explain', String(run)]))['lastFailure']).toMatchObject({
      ...meaning,
      ...{ host: 'alpha.test.local', counted: true, blame: { kind: 'open' } },
    });

    await lab.runs.updateOne(
      { number: run! },
      { $set: { 'bootstrax.next_retry': new Date(0), 'bootstrax.n_failures': 0 } },
    );
    await attemptOn('beta.test.local', run!, later);
    const hosts = ['beta.test.local', 'alpha.test.local'];
    expect((await json(['explain', String(run)]))['lastFailure']).toMatchObject({
      ...meaning,
      ...{ host: 'beta.test.local', blame: { kind: 'run', runs: [run] } },
    });
    const { groups } = await json(['failures']);
    expect(groups).toMatchObject([
      { count: 2, counted: 2, runs: [run], meaning, blame: { kind: 'run', hosts } },
    ]);
    const { attempts } = (await json(['history', String(run)])) as { attempts: unknown };
    expect(attempts).toMatchObject([{ result: { meaning } }, { result: { meaning } }]);
    const table = await lab.command(['failures'], { config: FAILING });
    expect(table.stdout).toMatch(/plugin error in event_basics/);
    const log = lab.client.db(lab.daqDb).collection('log');
    await until('the cause in the log', () =>
      log.findOne({
        runid: run!,
        message: { $regex: /^New failure .*plugin error in event_basics/ },
      }),
    );
  },
  PATIENCE_MS,
);

test(
  'failures that fewer plugins would not mend take no target away',
  async () => {
    const missing = FAILING.replace('max_rate_seconds = 2', 'max_rate_seconds = 0');
    const [run] = await lab.takeRuns(TAKE);
    // Failures for want of live data, and then it is there.
    const { data } = await lab.run(run!);
    await lab.runs.updateOne({ number: run! }, { $set: { 'data.0.location': `${lab.live}/gone` } });
    const manager = await lab.manager({ config: missing.replace(/fail_in = "\w+"/, '') });
    await until('three failures', async () => {
      const { bootstrax } = await lab.run(run!);
      return (bootstrax.n_failures ?? 0) >= 3;
    });
    await manager.kill();
    const attempts = lab.client.db(lab.runsDb).collection('bootstrax_attempts');
    expect(await attempts.findOne({ run: run! })).toMatchObject({
      result: {
        counted: true,
        meaning: { class: 'input_not_ready', sheddingHelps: false, whose: 'run' },
      },
    });
    const failures = (await lab.run(run!)).bootstrax.n_failures!;
    await lab.runs.updateOne(
      { number: run! },
      { $set: { data, 'bootstrax.next_retry': new Date(0) } },
    );
    await lab.manager({ config: missing.replace(/fail_in = "\w+"/, '') });
    const done = await lab.reached(run!, ['done']);
    expect(done.bootstrax).toMatchObject({
      ...{ n_failures: failures, plan: { dropped: [], rung: failures } },
    });
  },
  PATIENCE_MS,
);
