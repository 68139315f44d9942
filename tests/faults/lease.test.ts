import { readdirSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';

import { signal } from '../../src/infra/mongo/embedded/embedded-process.ts';
import { Lab, type StoredRun, until } from '../support/lab.ts';
import { Host } from './chaos/stage.ts';

const LEASE_SECONDS = 4;
const SETTINGS = {
  BOOTSTRAX_LIMITS_BUSY_LEASE_SECONDS: String(LEASE_SECONDS),
  BOOTSTRAX_LIMITS_CONSIDERING_LEASE_SECONDS: String(LEASE_SECONDS),
  BOOTSTRAX_LIMITS_HOUSEKEEPING_SECONDS: '1',
  BOOTSTRAX_POLL_SECONDS: '1',
};
const LIVE_RUN = ['--seconds', '10', '--speed', '1', '--chunk-seconds', '1', '--rate', '5'];

// Leases have to pass, and two hosts to warm up, on a machine that may be busy.
vi.setConfig({ testTimeout: 240_000 });

let lab: Lab;
let one: Host;
let two: Host;
beforeAll(async () => {
  lab = await Lab.start({ warmPython: false });
});
afterEach(async ({ task }) => {
  if (task.result?.state === 'fail') {
    for (const manager of [...one.managers, ...two.managers]) console.error(manager.story());
  }
  await Promise.all([one.endManager('SIGKILL'), two.endManager('SIGKILL')]);
});
afterAll(() => lab.end());

/** Two hosts, warm: the first takes new runs, the second only what others had. */
async function begin(name: string, settings: Record<string, string> = {}): Promise<void> {
  const common = { ...SETTINGS, ...settings };
  one = new Host(lab, `one.${name}.test.local`, common);
  two = new Host(lab, `two.${name}.test.local`, { ...common, BOOTSTRAX_ROLE: 'never' });
  await Promise.all([one.start(), two.start()]);
  await Promise.all([one.manager!.event('worker.ready'), two.manager!.event('worker.ready')]);
}

/** Once the run's heartbeats have gone on, without another change, for more than two leases. */
async function renewedBeyondTheLease(number: number, state: string): Promise<void> {
  const first = await lab.reached(number, [state]);
  const seconds = (run: StoredRun) =>
    (run.bootstrax.time!.getTime() - first.bootstrax.time!.getTime()) / 1000;
  await until(`run ${number} to be ${state} beyond the lease`, async () => {
    const run = await lab.run(number);
    expect(run.bootstrax.state).toBe(state);
    expect(run.bootstrax.attempt).toBe(first.bootstrax.attempt);
    return seconds(run) > 2 * LEASE_SECONDS;
  });
}

async function heartbeatsOf(host: Host): Promise<{ time: Date; thinking: string }[]> {
  const monitor = lab.client.db(lab.daqDb).collection('eb_monitor');
  const signs = await monitor.find({ host: host.name }).sort({ _id: 1 }).toArray();
  return signs.map(({ time, thinking }) => ({
    time: time as Date,
    thinking: String(thinking),
  }));
}

/** The host has nothing of any run: no folder, no entry, no open attempt. */
async function nothingLeft(host: Host, number: number): Promise<void> {
  await until(`nothing to be left on ${host.name}`, async () => {
    const run = await lab.run(number);
    return (
      readdirSync(host.output).length === 0 &&
      host.inWork().length === 0 &&
      run.data.every((entry) => entry['host'] !== host.name) &&
      host.openAttempts().length === 0
    );
  });
}

test('work before and after the child that takes longer than the lease loses the run to nobody', async () => {
  // The live data comes late, and so does the end of the run.
  await begin('slow', { BOOTSTRAX_LIMITS_MAX_RATE_SECONDS: '60' });
  const [sample] = await lab.takeRuns(['--seconds', '3', '--speed', '0', '--chunk-seconds', '1']);
  const { _id, status, ...finished } = await lab.reached(sample!, ['done']);
  const number = sample! + 1;
  const start = new Date();
  await lab.insertRuns({
    ...finished,
    number,
    start,
    end: null,
    data: finished.data.filter(({ type }) => type === 'live'),
    bootstrax: { state: null },
  });
  const claimed = await lab.reached(number, ['considering']);
  await renewedBeyondTheLease(number, 'considering');
  const folder = (run: number) => join(lab.live, String(run).padStart(6, '0'));
  await cp(folder(sample!), folder(number), { recursive: true });
  await one.manager!.event('attempt.started', { run: number });
  await until('the end of the run to be awaited', async () => {
    const signs = await heartbeatsOf(one);
    return signs.some(({ thinking }) => thinking.includes('waiting for the DAQ'));
  });
  await renewedBeyondTheLease(number, 'busy');
  const length = finished.end!.getTime() - finished.start.getTime();
  await lab.runs.updateOne({ number }, { $set: { end: new Date(start.getTime() + length) } });
  const run = await lab.reached(number, ['done']);
  expect(run.bootstrax.last_attempt).toBe(claimed.bootstrax.attempt);
  expect(await lab.attempts.countDocuments({ run: number })).toBe(1);
  expect(
    two.managers.some(({ lines }) => lines.some((line) => line['event'] === 'run.stale')),
  ).toBe(false);
  // The host's own heartbeats went on as well: 20 s without one and the website calls it dead.
  const times = (await heartbeatsOf(one)).map(({ time }) => time.getTime());
  const pauses = times.slice(1).map((time, i) => (time - times[i]!) / 1000);
  expect(Math.max(...pauses)).toBeLessThan(20);
});

test('a manager that stood still past its lease finds its run taken: its child ends, its data goes', async () => {
  await begin('still');
  const taking = lab.takeRuns(LIVE_RUN);
  const started = await one.manager!.event('attempt.started');
  const number = started['run'] as number;
  const [attempt] = await until('the child', () => {
    const open = one.openAttempts();
    return open[0]?.child && one.inWork().length > 0 ? open : null;
  });
  one.manager!.child.kill('SIGSTOP');
  await two.manager!.event('run.stale', { run: number });
  await two.manager!.event('attempt.started', { run: number });
  await taking;
  const done = await lab.reached(number, ['done']);
  expect(done.bootstrax.host).toBe(two.name);
  expect(done.bootstrax.n_failures ?? 0).toBe(0);
  one.manager!.child.kill('SIGCONT');
  await one.manager!.event('attempt.superseded', { run: number });
  await nothingLeft(one, number);
  expect(one.openAttempts().some(({ child }) => child !== null)).toBe(false);
  expect(attempt!.run).toBe(number);
  const after = await lab.run(number);
  expect(after.bootstrax).toEqual(done.bootstrax);
  expect(after.data).toEqual(done.data.filter((entry) => entry['host'] !== one.name));
  expect(await lab.attempts.countDocuments({ run: number, 'result.outcome': 'done' })).toBe(1);
  const [first] = await lab.attempts.find({ run: number, host: one.name }).toArray();
  expect(first!.result).toMatchObject({
    outcome: 'requeued',
    reason: expect.stringContaining('without a heartbeat') as string,
  });
});

test('a host that went down and comes back removes what it had begun, and nothing else', async () => {
  await begin('down');
  const taking = lab.takeRuns(LIVE_RUN);
  const started = await one.manager!.event('attempt.started');
  const number = started['run'] as number;
  const [attempt] = await until('the first data', () => {
    const open = one.openAttempts();
    return open[0]?.child && one.inWork().length > 0 ? open : null;
  });
  await one.endManager('SIGKILL');
  for (const server of one.forkServers()) signal(server, 'SIGKILL');
  for (const identity of [attempt!.guardian, attempt!.child]) signal(identity!, 'SIGKILL');
  await taking;
  const done = await lab.reached(number, ['done']);
  expect(done.bootstrax.host).toBe(two.name);
  expect(one.inWork().length).toBeGreaterThan(0);
  await one.start();
  await one.manager!.event('attempt.products_removed', { run: number });
  await nothingLeft(one, number);
  const after = await lab.run(number);
  expect(after.bootstrax).toEqual(done.bootstrax);
  expect(after.data.filter((entry) => entry['host'] === two.name)).toEqual(
    done.data.filter((entry) => entry['host'] === two.name),
  );
  expect(readdirSync(two.output).sort()).toEqual(
    after.data
      .filter((entry) => entry['host'] === two.name)
      .map((entry) => String(entry['location']).split('/').at(-1))
      .sort(),
  );
});
