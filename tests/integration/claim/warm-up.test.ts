import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';

import type { RunAnswer } from '../../../src/readmodel/api.ts';
import type { RunView } from '../../../src/run/run-view.pure.ts';
import { DashboardProcess } from '../../support/dashboard.ts';
import { Lab, type ManagerProcess, PACKAGE, until } from '../../support/lab.ts';

const COLD = 'alpha.test.local';
const WARM = 'beta.test.local';
const WAITS = /^the worker to warm up, since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC$/;
const RUN = ['--seconds', '3', '--chunk-seconds', '1', '--speed', '0', '--rate', '5'];

let lab: Lab;
beforeAll(async () => {
  lab = await Lab.start();
  // A worker that has built its context once is trusted to do so again: its manager takes runs meanwhile.
  const first = await started(COLD);
  await first.event('worker.ready');
  const noted = join(lab.stateDir(COLD), 'context-imported.json');
  await until('that to be noted', () => existsSync(noted));
  await first.kill();
});
afterAll(() => lab.end());

let pipe = '';
let pipes = 0;
beforeEach(async () => {
  pipe = join(lab.root, `hold-${pipes++}`);
  await promisify(execFile)('mkfifo', [pipe]);
});

async function started(
  host: string,
  hold = '/nowhere',
  env: NodeJS.ProcessEnv = {},
): Promise<ManagerProcess> {
  return lab.manager({
    ...{ host, context: 'held:held' },
    env: { PYTHONPATH: join(PACKAGE, 'tests/support/contexts'), BOOTSTRAX_HOLD: hold, ...env },
  });
}

/** A manager whose worker is not up before `letGo`. */
async function cold(): Promise<ManagerProcess> {
  const manager = await started(COLD, pipe);
  onTestFinished(() => manager.kill());
  await manager.event('manager.ready');
  return manager;
}

/** `up`, or anything else to end the worker; the next one is not held. */
async function letGo(word = 'up'): Promise<void> {
  const file = await open(pipe, 'w');
  await rm(pipe);
  await file.writeFile(word);
  await file.close();
}

async function waiting(number: number, host = COLD) {
  const waits = await until('the document to say what the run waits for', async () => {
    const { bootstrax } = await lab.run(number);
    return 'waits_for' in bootstrax ? bootstrax : null;
  });
  expect(waits).toMatchObject({ state: 'considering', host });
  expect(waits['waits_for']).toMatch(WAITS);
  return waits;
}

async function taken(): Promise<number> {
  const [number] = await lab.takeRuns(RUN);
  return number!;
}

async function attemptsOf(run: number) {
  return (await lab.attempts.find({ run }).sort({ started: 1 }).toArray()).map(
    ({ result }) => result,
  );
}

test('a run stays considering, renewed, while the worker warms up, is told so everywhere, and is then processed', async () => {
  await cold();
  const number = await taken();
  const first = await waiting(number);
  const times = new Set<number>();
  await until('its time to be renewed', async () => {
    const { bootstrax } = await lab.run(number);
    expect(bootstrax).toMatchObject({ state: 'considering', waits_for: first['waits_for'] });
    expect(bootstrax.started_processing).toBeUndefined();
    times.add(bootstrax.time!.getTime());
    return times.size > 3;
  });

  const waits = `waits for ${String(first['waits_for'])}`;
  const command = async (...args: string[]) => (await lab.command(args, { host: COLD })).stdout;
  const explained = await command('explain', String(number));
  expect(explained).toContain(`next: it ${waits}; then it is processed, by ${COLD}`);
  expect(explained).toContain(`run ${number}: claimed (state considering)`);
  expect(await command('status')).toContain(waits);
  const { hosts, runs } = JSON.parse(await command('status', '--json')) as {
    hosts: { host: string; thinking: string }[];
    runs: RunView[];
  };
  expect(runs).toMatchObject([{ run: number, waitsFor: first['waits_for'] }]);
  expect(hosts[0]?.thinking).toContain(`run ${number} waits for the worker to warm up`);
  const dashboard = await DashboardProcess.start(lab);
  onTestFinished(() => dashboard.end());
  const { row, explanation } = await dashboard.json<RunAnswer>(`api/runs/${number}`);
  expect(row).toMatchObject({ state: 'considering', waitsFor: first['waits_for'] });
  expect(explanation.next).toMatchObject({ what: `it ${waits}; then it is processed`, who: COLD });

  const before = (await lab.run(number)).bootstrax.time!;
  await letGo();
  const { bootstrax } = await lab.reached(number, ['done']);
  expect(bootstrax.started_processing!.getTime()).toBeGreaterThanOrEqual(before.getTime());
  expect(bootstrax).not.toHaveProperty('waits_for');
  expect(bootstrax.attempt ?? bootstrax.last_attempt).toBe(first.attempt);
  expect(bootstrax).not.toHaveProperty('n_failures');
});

test('a run that waits for the worker is abandoned by its tag, without a child', async () => {
  await cold();
  const number = await taken();
  await waiting(number);
  const tags = [{ name: 'abandon', user: 'x', date: new Date() }];
  await lab.runs.updateOne({ number }, { $set: { tags } });
  const { bootstrax } = await lab.reached(number, ['abandoned']);
  expect(bootstrax).not.toHaveProperty('waits_for');
  expect(bootstrax).not.toHaveProperty('started_processing');
  expect(await attemptsOf(number)).toMatchObject([{ outcome: 'abandoned', counted: false }]);
});

test('a run that waits for the worker is given back, not counted, when the worker ends before it is up', async () => {
  const manager = await cold();
  const number = await taken();
  await waiting(number);
  await letGo('end');
  await manager.event('attempt.ended', { run: number, outcome: 'requeued', counted: false });
  const { bootstrax } = await lab.reached(number, ['done']);
  expect(bootstrax.n_failures ?? 0).toBe(0);
  const [first, last] = await attemptsOf(number);
  expect(first).toMatchObject({ outcome: 'requeued', cause: 'host_problem', counted: false });
  expect(first?.reason).toMatch(/the worker cannot start: the fork server ended unexpectedly/);
  expect(last).toMatchObject({ outcome: 'done' });
});

test('a run that waits for the worker when its manager is stopped goes back to the queue at once, not counted, and says why', async () => {
  const manager = await cold();
  const number = await taken();
  const { attempt } = await waiting(number);
  await manager.kill('SIGTERM');
  const given = (await lab.run(number)).bootstrax;
  expect(given).toMatchObject({ state: 'failed', outcome: 'requeued', last_attempt: attempt });
  expect(given['reason']).toContain('the manager was told to end before the run was begun');
  expect(given.n_failures ?? 0).toBe(0);
  expect(given).not.toHaveProperty('waits_for');
  const events = manager.lines.map(({ event }) => event);
  expect(events).not.toContain('manager.claims_left');
  expect(events).not.toContain('manager.children_go_on');
  await cold();
  await letGo();
  const { bootstrax } = await lab.reached(number, ['done']);
  expect(bootstrax.n_failures ?? 0).toBe(0);
  expect(await attemptsOf(number)).toMatchObject([
    { outcome: 'requeued', cause: 'manager', counted: false },
    { outcome: 'done' },
  ]);
});

test('a manager that dies while it gives a run back that waits for the worker leaves it to the next one', async () => {
  const manager = await started(COLD, pipe, { BOOTSTRAX_CRASH_AT: 'runs.conclude:before' });
  onTestFinished(() => manager.kill());
  await manager.event('manager.ready');
  const number = await taken();
  const { attempt } = await waiting(number);
  await manager.kill('SIGTERM');
  expect((await lab.run(number)).bootstrax).toMatchObject({ state: 'considering', attempt });
  await cold();
  await until('another attempt to wait', async () => {
    const { bootstrax } = await lab.run(number);
    return 'waits_for' in bootstrax && bootstrax.attempt !== attempt;
  });
  await letGo();
  const { bootstrax } = await lab.reached(number, ['done']);
  expect(bootstrax.n_failures ?? 0).toBe(0);
  expect(await attemptsOf(number)).toMatchObject([{ outcome: 'requeued' }, { outcome: 'done' }]);
});

test('a host whose worker warms up leaves runs to one with a warm worker and a free slot, and takes them when that has none', async () => {
  const warm = await started(WARM);
  onTestFinished(() => warm.kill());
  await warm.event('worker.ready');
  const hosts = lab.runsDatabase.collection('bootstrax');
  await until('the warm host to say so', () =>
    hosts.findOne({ host: WARM, worker_ready: true, accepting: true, runs: [] }),
  );
  await cold();
  for (let i = 0; i < 5; i++) {
    const { bootstrax } = await lab.reached(await taken(), ['done']);
    expect(bootstrax.host).toBe(WARM);
    await until('a free slot', () => hosts.findOne({ host: WARM, runs: [], accepting: true }));
  }
  const drained = await lab.command(['drain', '--reason', 'a test'], { host: WARM });
  expect(drained.code).toBe(0);
  await until('the warm host to take none', () => hosts.findOne({ host: WARM, accepting: false }));
  const left = await taken();
  await waiting(left);
  await letGo();
  expect((await lab.reached(left, ['done'])).bootstrax.host).toBe(COLD);
});
