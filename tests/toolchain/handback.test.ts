import { type ChildProcess, spawn } from 'node:child_process';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';

import { attemptProcesses } from '../faults/support.ts';
import { type StoredRun, until } from '../support/lab.ts';
import { HASTE, ours, OURS_CONFIG } from './haste.ts';
import { Site } from './site.ts';

const EB4 = 'eb4.xenon.local';
const EB5 = 'eb5.xenon.local';
const LONG = [
  ...['--seconds', '25', '--chunk-seconds', '1', '--overlap-seconds', '0.2', '--speed', '1'],
];
const SHORT = [
  ...['--seconds', '2', '--chunk-seconds', '1', '--overlap-seconds', '0.2', '--speed', '0'],
];

let site: Site;
const bystanders: ChildProcess[] = [];

beforeAll(async () => {
  site = await Site.start();
  await site.openNursery();
  await site.makeOutput(EB4, EB5);
});
afterEach(async () => {
  for (const each of bystanders.splice(0)) each.kill('SIGKILL');
  await site.endManagers();
});
afterAll(() => site.end());

/** A process of somebody else's that has the number of a manager of ours that has gone long ago. */
async function bystander(host: string): Promise<ChildProcess> {
  const process = spawn('sleep', ['600'], { stdio: 'ignore' });
  bystanders.push(process);
  await site.lab.client
    .db(site.lab.daqDb)
    .collection('eb_monitor')
    .insertOne({
      ...{ host, pid: process.pid!, state: 'idle', time: new Date(Date.now() - 3_600_000) },
      ...{ targets: ['raw_records'], max_cores: 8, max_messages: 10, undying: true },
      ...{ production_mode: true, thinking: 'waiting for runs' },
    });
  return process;
}

const handback = (host: string, ...more: string[]) =>
  site.lab.command(['handback', '--json', ...more], {
    host,
    config: OURS_CONFIG,
    env: {
      BOOTSTRAX_MONGO_URL: '',
      BOOTSTRAX_RUNS_DB: '',
      XENON_CONFIG: site.configuration,
      BOOTSTRAX_OUTPUT: site.output(host),
    },
  });

async function done(number: number): Promise<StoredRun> {
  return site.lab.reached(number, ['done'], 60).catch(async (error: unknown) => {
    throw new Error(`${String(error)}\n${await site.stories()}`);
  });
}

test('handed back in the middle of a run: the reference takes it on the same host, and harms nobody', async () => {
  const somebody = await bystander(EB4);
  const manager = await ours(site, EB4);
  await manager.event('manager.ready');
  const taking = site.lab.takeRuns(LONG);
  const started = await manager.event('attempt.started');
  const number = started['run'] as number;
  const { code, stdout, stderr } = await handback(EB4, '--end-children');
  expect(code, stdout + stderr).toBe(0);
  await manager.exited;
  expect(attemptProcesses(site.lab)).toEqual([]);
  const left = await site.lab.run(number);
  expect(left.bootstrax).toMatchObject({ state: 'failed', n_failures: 0 });

  const reference = await site.reference(EB4, { times: HASTE.reference });
  const run = await done(number);
  expect(run.bootstrax.host).toBe(EB4);
  // Concluded by the reference: it knows of no attempts of ours but copies what it finds.
  expect(run.bootstrax).not.toHaveProperty('attempt');
  expect(run.bootstrax.started_processing!.getTime()).toBeGreaterThan(
    left.bootstrax.time!.getTime(),
  );
  expect(somebody.exitCode ?? somebody.signalCode).toBeNull();
  expect(reference.ended).toBe(false);
  await taking;
  await reference.kill();

  // And there again: ours takes the next run on this host.
  const again = await ours(site, EB4);
  const [next] = await site.lab.takeRuns(SHORT);
  await again.event('attempt.started', { run: next });
  expect((await done(next!)).bootstrax.outcome).toBe('done');
});

test('without it the reference kills whatever process has the number of a manager of before', async () => {
  const somebody = await bystander(EB5);
  const reference = await site.reference(EB5, { times: HASTE.reference });
  await until('the bystander to be killed', () => somebody.signalCode);
  expect(somebody.signalCode).toBe('SIGKILL');
  await reference.kill();
});
