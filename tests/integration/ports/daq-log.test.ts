import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Document } from 'mongodb';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';

import { Lab, type ManagerChoices, type ManagerProcess, until } from '../../support/lab.ts';
import { smallMachine } from '../../support/small-machine.ts';

const HOST = 'alpha.test.local';
const TAKE = ['--seconds', '3', '--chunk-seconds', '1', '--speed', '0', '--rate', '5'];
const PATIENCE_MS = 240_000;

let lab: Lab;
beforeAll(async () => {
  lab = await Lab.start({ testCommands: true });
});
afterEach(() => lab.endManagers());
afterAll(() => lab.end());

const start = (choices: ManagerChoices = {}): Promise<ManagerProcess> => lab.manager(choices);

async function takeRun(): Promise<number> {
  const [number] = await lab.takeRuns(TAKE);
  return number!;
}

const log = () => lab.client.db(lab.daqDb).collection('log');

/** The first message about a run that fits, once it is there. */
function told(run: number, text: RegExp): Promise<Document> {
  return until(`${String(text)} about run ${run} in the DAQ's log`, () =>
    log().findOne({ runid: run, message: { $regex: text.source } }),
  );
}

// Reference, section 4.9; and what it forgets.
test(
  'start, end, failures and giving up are told with their priorities',
  async () => {
    const manager = await start();
    const good = await takeRun();
    await lab.reached(good, ['done']);
    expect(await told(good, /is processed on/)).toMatchObject({
      priority: 1,
      user: `bootstrax_${HOST}`,
      runid: good,
    });
    expect(await told(good, /is done/)).toMatchObject({ priority: 1, runid: good });
    await manager.kill();

    const config = smallMachine({
      retry: { maxFailures: 3 },
      worker: { contextOptions: { fail_in: 'peaklets' } },
    });
    await start({ config, env: { BOOTSTRAX_SHEDDING: 'reference' } });
    const bad = await takeRun();
    await until('the run to be given up', async () => {
      return (await lab.run(bad)).bootstrax.outcome === 'given_up';
    });
    expect(await told(bad, /^New failure on run \d+ /)).toMatchObject({ priority: 2 });
    expect(await told(bad, /^Repeated failure on run \d+ /)).toMatchObject({ priority: 1 });
    expect(await told(bad, /are lowered after 1 failure: /)).toMatchObject({ priority: 1 });
    expect(await told(bad, /GIVEN UP/)).toMatchObject({ priority: 4 });
    // No traceback in the log.
    for await (const { message } of log().find({ runid: bad })) {
      expect(message).not.toContain('Traceback');
    }
  },
  PATIENCE_MS,
);

test(
  'what a run document lacks, a rate that is not to be had, and unknown post-processing',
  async () => {
    const config = smallMachine({ targets: { postProcessing: ['no_such_type'] } });
    const number = await takeRun();
    await lab.client.db(lab.daqDb).collection('aggregate_status').deleteMany({});
    await lab.runs.updateOne(
      { number },
      { $unset: { rate: '', 'daq_config.compressor': '', 'daq_config.strax_chunk_overlap': '' } },
    );
    await start({ config });
    await lab.reached(number, ['done', 'failed']);
    expect(
      await told(number, /gets default resources, because its data rate is not known/),
    ).toMatchObject({
      priority: 2,
    });
    const lacking = await told(number, /lacks/);
    expect(lacking).toMatchObject({ priority: 2 });
    expect(lacking['message']).toContain('daq_config.strax_chunk_overlap, daq_config.compressor');
    expect(await told(number, /no_such_type .* was skipped/)).toMatchObject({ priority: 3 });
  },
  PATIENCE_MS,
);

test.each([
  ['eb_finished_pre', 2],
  ['transferred', 4],
])(
  'a run that is %s already keeps its status, which is told with priority %i',
  async (status, priority) => {
    const number = await takeRun();
    await lab.runs.updateOne({ number }, { $set: { status } });
    await start();
    const run = await lab.reached(number, ['done']);
    expect(run.status).toBe(status);
    expect(await told(number, /the status of run/)).toMatchObject({ priority });
  },
  PATIENCE_MS,
);

test(
  'abandonment is told',
  async () => {
    const number = await takeRun();
    const tags = [{ name: 'abandon', user: 'somebody', date: new Date() }];
    await lab.runs.updateOne({ number }, { $set: { tags } as never });
    await start();
    await lab.reached(number, ['abandoned']);
    expect(await told(number, /is abandoned: tagged abandon/)).toMatchObject({ priority: 2 });
  },
  PATIENCE_MS,
);

test(
  'a full disk is told once, and once more when that lasts too long',
  async () => {
    const config = smallMachine({ disk: { maxUsedPercent: 1, alarmSeconds: 1 } });
    await start({ config });
    const about = { message: { $regex: 'waiting for space' } };
    await until('the alarm', () => log().findOne({ ...about, priority: 4 }));
    const sign = await until('a heartbeat of a full disk', () =>
      lab.client.db(lab.daqDb).collection('eb_monitor').findOne({ host: HOST, state: 'disk full' }),
    );
    expect(sign).not.toHaveProperty('run_id');
    await lab.endManagers();
    const messages = await log().find(about).toArray();
    expect(messages.map(({ priority }) => priority as number).sort()).toEqual([2, 4]);
  },
  PATIENCE_MS,
);

test(
  'a host that is silent is marked dead and told of, once; ajax and microstrax are left alone',
  async () => {
    const monitor = lab.client.db(lab.daqDb).collection('eb_monitor');
    const old = new Date(Date.now() - 600_000);
    const sign = { time: old, pid: 7, state: 'busy', production_mode: true, targets: [] };
    await monitor.insertMany([
      { host: 'gone.test.local', ...sign },
      { host: 'gone.test.local', ...sign, time: new Date(old.getTime() - 60_000) },
      { host: 'fresh.test.local', ...sign, time: new Date() },
      { host: 'unknown.test.local', ...sign },
      { host: 'micro.test.local', time: old, state: 'hosting microstrax' },
    ]);
    const watched = ['gone', 'fresh', 'micro', 'never'].map((name) => `${name}.test.local`);
    const config = smallMachine({ host: { watched }, limits: { housekeepingSeconds: 0.3 } });
    await start({ config });
    await start({ config, host: 'beta.test.local' });
    const marked = await until('the silent host to be marked', () =>
      monitor.findOne({ host: 'gone.test.local', state: 'dead_bootstrax' }),
    );
    expect(marked['time']).toEqual(old);
    const message = { message: { $regex: '^gone.test.local has sent no heartbeat for 10 min' } };
    await until('the DAQ to be told', () => log().findOne(message));
    // Both have looked again since.
    const rest = await monitor
      .find({ host: { $in: ['fresh.test.local', 'unknown.test.local', 'micro.test.local'] } })
      .toArray();
    expect(rest.map(({ state }) => state as string).sort()).toEqual([
      ...['busy', 'busy', 'hosting microstrax'],
    ]);
    await lab.endManagers();
    expect(await log().find(message).toArray()).toMatchObject([{ priority: 3 }]);
  },
  PATIENCE_MS,
);

test(
  'data that is listed but not there is waited for, then a failure that is told',
  async () => {
    const number = await takeRun();
    const config = smallMachine({
      limits: { registeredSeconds: 1 },
      retry: { baseSeconds: 600 },
      worker: { contextOptions: { sleep_seconds: 2 } },
    });
    await start({ config });
    await lab.reached(number, ['busy']);
    const location = join(lab.output, 'nowhere');
    await lab.runs.updateOne(
      { number },
      { $push: { data: { type: 'records', host: HOST, location } } as never },
    );
    const run = await lab.reached(number, ['failed']);
    expect(run.bootstrax.reason).toContain(
      `its document lists data that is not there: ${location}`,
    );
    expect(await told(number, /not all files of run/)).toMatchObject({ priority: 2 });
    await rm(location, { force: true });
  },
  PATIENCE_MS,
);

test(
  'a host that is never to take new runs is asked about, once',
  async () => {
    const manager = await start({ env: { BOOTSTRAX_ROLE: 'never' }, host: 'gamma.test.local' });
    await manager.event('manager.ready');
    const about = { message: { $regex: '^gamma.test.local runs a manager although' } };
    await until('the question', () => log().findOne(about));
    await manager.kill();
    expect(await log().find(about).toArray()).toMatchObject([
      { priority: 3, user: 'bootstrax_gamma.test.local' },
    ]);
  },
  PATIENCE_MS,
);

test(
  'a manager that ends by an error of its own says so, and is gone',
  async () => {
    // An error that nothing of the program expects, at a moment of the test's choice.
    const bug = "process.on('SIGUSR2', () => { throw new TypeError('a bug'); })";
    const manager = await start({
      host: 'delta.test.local',
      env: { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(bug)}` },
    });
    await manager.event('manager.ready');
    process.kill(manager.child.pid!, 'SIGUSR2');
    expect(await manager.exited).toBe(1);
    const about = {
      message: { $regex: '^delta.test.local: the manager ends, because of an error' },
    };
    expect(await log().find(about).toArray()).toMatchObject([{ priority: 3 }]);
  },
  PATIENCE_MS,
);
