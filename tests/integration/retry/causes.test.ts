import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';

import { Lab, until } from '../../support/lab.ts';
import { type Changes, type Configuration, smallMachine } from '../../support/small-machine.ts';

const PATIENCE_MS = 240_000;
const TAKE = ['--seconds', '3', '--chunk-seconds', '1', '--speed', '0', '--rate', '5'];
const FAIL: Changes = { worker: { contextOptions: { fail_in: 'event_basics' } } };
const FAILING = smallMachine(FAIL);

let lab: Lab;
beforeAll(async () => {
  lab = await Lab.start();
});
afterEach(() => lab.endManagers());
afterAll(() => lab.end());

/** One attempt at a run on a host, to its end. */
async function attemptOn(host: string, run: number, config: Configuration): Promise<void> {
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
    const later = smallMachine(FAIL, { retry: { baseSeconds: 3600 } });
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
    const [run] = await lab.takeRuns(TAKE);
    const theEnd = join(lab.live, String(run).padStart(6, '0'), 'THE_END');
    const elsewhere = join(lab.root, 'the-end');
    // Failures for want of live data, and then it is there.
    await rename(theEnd, elsewhere);
    await lab.manager({
      config: smallMachine({ worker: { contextOptions: { input_timeout: 1 } } }),
    });
    await until('three failures', async () => {
      const { bootstrax } = await lab.run(run!);
      return (bootstrax.n_failures ?? 0) >= 3;
    });
    await rename(elsewhere, theEnd);
    const { bootstrax } = await lab.reached(run!, ['done']);
    const failed = await lab.attempts.find({ run: run!, 'result.counted': true }).toArray();
    expect(failed).toHaveLength(bootstrax.n_failures!);
    const meaning = { class: 'input_not_ready', sheddingHelps: false, whose: 'run' };
    for (const { result } of failed) expect(result).toMatchObject({ meaning });
    expect(bootstrax.plan).toMatchObject({ dropped: [], rung: bootstrax.n_failures });
  },
  PATIENCE_MS,
);
