import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';

import type { Started } from '../../src/attempt/attempt.pure.ts';
import { Lab, type ManagerProcess, PACKAGE, until } from '../support/lab.ts';
import { type Changes, smallMachine } from '../support/small-machine.ts';

const DAY_MS = 24 * 3600 * 1000;
const ALPHA = 'alpha.test.local';
const BETA = 'beta.test.local';

/** Leases and pauses of seconds. */
const HASTE: Changes = {
  limits: {
    busyLeaseSeconds: 4,
    consideringLeaseSeconds: 2,
    housekeepingSeconds: 1,
    idlePollSeconds: 1,
    endOfRunSeconds: 3,
  },
};
const IMPATIENT = smallMachine(HASTE);

let lab: Lab;
const managers: ManagerProcess[] = [];
beforeAll(async () => {
  lab = await Lab.start();
});
afterEach(async () => {
  await Promise.all(managers.splice(0).map((each) => each.kill()));
  await lab.endCommands();
  await lab.runs.deleteMany({});
  await lab.attempts.deleteMany({});
  // Run numbers begin anew.
  for (const folder of [lab.live, lab.output]) {
    // A simulator may still be about to end.
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    await mkdir(folder);
  }
});
afterAll(() => lab.end());

async function manager(choices: Parameters<Lab['manager']>[0] = {}): Promise<ManagerProcess> {
  const started = await lab.manager({ config: IMPATIENT, ...choices });
  managers.push(started);
  await started.event('manager.ready');
  return started;
}

/** Takes a short run that nobody has processed yet. */
async function take(...args: string[]): Promise<number> {
  const [number] = await lab.takeRuns(['--seconds', '2', '--speed', '0', '--rate', '1', ...args]);
  return number!;
}

/** Longer than any test; ended with it. */
function takeLongRun(): void {
  lab.takeRuns(['--seconds', '300', '--speed', '1', '--chunk-seconds', '2']).catch(() => null);
}

const set = (number: number, fields: Record<string, unknown>) =>
  lab.runs.updateOne({ number }, { $set: fields });
const tag = () => ({ name: 'abandon', user: 'shifter', date: new Date() });
const uncounted = (run: { bootstrax: { n_failures?: number } }) =>
  expect(run.bootstrax.n_failures ?? 0).toBe(0);

describe('runs that somebody has left behind', () => {
  test('considering without a time, as after a claim cut in two', async () => {
    const number = await take();
    await set(number, { bootstrax: { state: 'considering' } });
    const alpha = await manager();
    await alpha.event('run.stale', { run: number });
    uncounted(await lab.reached(number, ['done']));
  });

  test('considering and busy on a host that is gone, while this one is busy itself', async () => {
    const [one, two] = [await take(), await take()];
    const alpha = await manager();
    await until('both to be done', async () =>
      [await lab.run(one), await lab.run(two)].every(({ bootstrax }) => bootstrax.state === 'done'),
    );
    takeLongRun();
    const long = two + 1;
    await alpha.event('attempt.started', { run: long });
    const time = new Date(Date.now() - 60_000);
    const gone = { host: 'gone.test.local', time, reason: 'gone:\nwhy\n', n_failures: 0 };
    await set(one, { bootstrax: { ...gone, state: 'considering' }, status: 'needs_upload' });
    await set(two, { bootstrax: { ...gone, state: 'busy' }, status: 'needs_upload' });
    const stale = await Promise.all(
      [one, two].map((run) => alpha.event('run.stale', { run, host: 'gone.test.local' })),
    );
    expect(stale).toHaveLength(2);
    // Not counted; the document says who fell silent, and since when.
    const { reason, n_failures } = (await lab.run(one)).bootstrax;
    expect(n_failures).toBe(0);
    expect(reason).toContain('considering on gone.test.local without a heartbeat');
    expect(reason).toContain(`the last was at ${time.toISOString()}`);
    expect((await lab.run(long)).bootstrax.state).toBe('busy');
    await set(long, { tags: [tag()] });
    await lab.reached(long, ['abandoned']);
    for (const number of [one, two]) uncounted(await lab.reached(number, ['done']));
  });

  test('done without a status: its host checks its products and gives it one; with another status, or long ago, it stays', async () => {
    const numbers = [await take(), await take(), await take()] as const;
    const [bare, further, old] = numbers;
    const alpha = await manager();
    for (const number of numbers) await lab.reached(number, ['done']);
    const times = { 'bootstrax.time': new Date() };
    await lab.runs.updateMany({}, { $set: times, $unset: { status: '' } });
    await set(further, { status: 'transferring' });
    await set(old, { start: new Date(Date.now() - 30 * DAY_MS) });
    await alpha.event('run.handed_on', { run: bare });
    expect(await lab.run(bare)).toMatchObject({ status: 'eb_finished_pre' });
    expect(await lab.run(further)).toMatchObject({ status: 'transferring' });
    expect((await lab.run(old)).status).toBeUndefined();
  });

  test('done without a status on a host that never had a manager of ours: handed on as it is called', async () => {
    const number = await take();
    const bootstrax = { state: 'done', host: 'gone.test.local', time: new Date() };
    const product = { type: 'raw_records', host: 'gone.test.local', location: '/gone/x' };
    await set(number, { bootstrax, data: [...(await lab.run(number)).data, product] });
    const alpha = await manager();
    await alpha.event('run.handed_on', { run: number });
    expect(await lab.run(number)).toMatchObject({ status: 'eb_finished_pre', bootstrax });
  });

  test('done without a status on another host of ours: handed on only if what it lists is seen here', async () => {
    // It has had a manager.
    await (await manager({ host: BETA })).kill();
    const [here, away] = [await take(), await take()];
    const alpha = await manager();
    for (const number of [here, away]) await lab.reached(number, ['done']);
    const beta = { 'bootstrax.host': BETA, 'bootstrax.time': new Date(Date.now() - DAY_MS) };
    for (const number of [here, away]) {
      const data = (await lab.run(number)).data.map((entry) =>
        entry['type'] === 'live' ? entry : { ...entry, host: BETA },
      );
      await set(number, { ...beta, data });
    }
    const [product] = (await lab.run(away)).data.filter(({ type }) => type !== 'live');
    await rm(String(product!['location']), { recursive: true });
    await lab.runs.updateMany({}, { $unset: { status: '' } });
    await alpha.event('run.handed_on', { run: here });
    const { stdout } = await lab.command(['status']);
    expect(stdout).toContain(`${BETA} has not checked it`);
    const { stdout: why } = await lab.command(['explain', String(away)]);
    expect(why).toContain('next: it is not handed on: ');
    expect(why).toContain(`bootstrax retry ${away} --even-done --reason TEXT`);
    expect((await lab.run(away)).status).toBeUndefined();
  });

  test('done without a status and without a product, or with one that is not there: it is said, and not handed on', async () => {
    const [bare, gone] = [await take(), await take()];
    const bootstrax = { state: 'done', time: new Date() };
    const product = {
      type: 'raw_records',
      host: 'alpha.test.local',
      location: join(lab.output, 'gone'),
    };
    await set(bare, { bootstrax: { ...bootstrax, host: 'gone.test.local' } });
    await set(gone, {
      bootstrax: { ...bootstrax, host: 'alpha.test.local' },
      data: [...(await lab.run(gone)).data, product],
    });
    const alpha = await manager();
    for (const run of [bare, gone]) {
      await alpha.event('run.not_handed_on', { run });
      expect((await lab.run(run)).status).toBeUndefined();
      await set(run, { 'bootstrax.time': new Date(Date.now() - DAY_MS) });
    }
    const { stdout } = await lab.command(['status']);
    for (const run of [bare, gone]) {
      expect(stdout).toContain(`${run}: Done on `);
      const { stdout: why } = await lab.command(['explain', String(run)]);
      expect(why).toContain(`bootstrax retry ${run} --even-done --reason TEXT`);
    }
  });

  test('done without an end: said once, and left to the DAQ and to people', async () => {
    const number = await take();
    const alpha = await manager();
    const { end } = await lab.reached(number, ['done']);
    await lab.runs.updateOne({ number }, { $set: { end: null }, $unset: { status: '' } });
    await alpha.event('run.end_missing', { run: number });
    expect(await lab.run(number)).toMatchObject({ bootstrax: { state: 'done' }, end: null });
    expect((await lab.run(number)).status).toBeUndefined();
    await set(number, { end });
    await alpha.event('run.handed_on', { run: number });
    expect(alpha.lines.filter((line) => line['event'] === 'run.end_missing')).toHaveLength(1);
  });
});

describe('the tag that abandons', () => {
  test('counts for new, failed and fresh done runs, not for older done ones', async () => {
    const [fresh, failed, done, old] = [await take(), await take(), await take(), await take()];
    const failure = { state: 'failed', n_failures: 3, next_retry: new Date(Date.now() + DAY_MS) };
    const finished = { bootstrax: { state: 'done', time: new Date() }, status: 'eb_finished_pre' };
    await set(fresh, { tags: [tag()] });
    await set(failed, { tags: [tag()], bootstrax: failure });
    await set(done, { tags: [tag()], ...finished });
    await set(old, { tags: [tag()], ...finished, start: new Date(Date.now() - 2 * DAY_MS) });
    const alpha = await manager();
    for (const run of [fresh, failed, done]) {
      await alpha.event('run.abandoned', { run });
      expect((await lab.run(run)).bootstrax.state).toBe('abandoned');
    }
    expect((await lab.run(failed)).bootstrax.n_failures).toBe(3);
    expect((await lab.run(done)).status).toBe('eb_finished_pre');
    expect((await lab.run(old)).bootstrax.state).toBe('done');
  });

  test('is seen at once where the server tells of changes', async () => {
    const number = await take();
    await set(number, {
      bootstrax: { state: 'failed', n_failures: 1, next_retry: new Date(Date.now() + DAY_MS) },
    });
    // Without the change stream it would take the hour.
    const alpha = await manager({
      config: smallMachine({ limits: { housekeepingSeconds: 3600 } }),
    });
    const signs = lab.client.db(lab.daqDb).collection('eb_monitor');
    await until('a heartbeat', () => signs.findOne({ state: 'idle' }));
    await set(number, { tags: [tag()] });
    await alpha.event('run.abandoned', { run: number });
  });
});

test('a run that takes its holder down is not blamed once, but the second time', async () => {
  takeLongRun();
  let failures = 0;
  for (const expected of [{ counted: false }, { counted: true }]) {
    const alpha = await manager();
    const started = await alpha.event('attempt.started');
    const run = started['run'] as number;
    const attempt = String(started['attempt']);
    const file = join(lab.stateDir(ALPHA), 'attempts', attempt, 'started.json');
    const text = await until('its processes', () => readFile(file, 'utf8').catch(() => null));
    const { guardian, child } = JSON.parse(text) as Started;
    // As when the machine goes down.
    await alpha.kill();
    process.kill(guardian.pid, 'SIGKILL');
    process.kill(-child.pid, 'SIGKILL');
    const next = await manager();
    const ended = await next.event('attempt.ended', { run, attempt });
    expect(ended['counted'], next.story()).toBe(expected.counted);
    failures += expected.counted ? 1 : 0;
    await until(
      'the count',
      async () => ((await lab.run(run)).bootstrax.n_failures ?? 0) === failures,
    );
    await next.kill();
  }
  const counted = (await lab.runs.findOne())?.bootstrax;
  expect(counted).toMatchObject({ outcome: 'failed', n_failures: 1 });
  expect(counted).not.toHaveProperty('holders_lost');
});

test('a host on which run after run fails pauses while another succeeds, and tries again', async () => {
  const first = (await take()) + 1;
  await set(first - 1, { bootstrax: { state: 'abandoned' } });
  const wary: Changes = {
    quarantine: { firstSeconds: 6, maxSeconds: 10 },
    // Failed runs do not come back during the test.
    retry: { baseSeconds: 600 },
  };
  const config = smallMachine(HASTE, wary);
  const doomed = Array.from({ length: 40 }, (_, i) => first + i);
  const alpha = await manager({
    context: 'deadly:deadly',
    env: { PYTHONPATH: join(PACKAGE, 'tests/support/contexts') },
    config: smallMachine(HASTE, wary, { worker: { contextOptions: { runs: doomed } } }),
  });
  const quarantined = () => alpha.lines.find((line) => line['event'] === 'host.quarantined');
  for (let i = 0; i < 4; i++) {
    await alpha.event('attempt.ended', { run: await take(), outcome: 'failed' });
  }
  // It is the only host there is.
  expect(quarantined()).toBeUndefined();

  await manager({ host: BETA, config });
  for (let i = 0; i < 30 && quarantined() === undefined; i++) {
    await lab.reached(await take(), ['failed', 'done']);
  }
  expect(String(quarantined()?.['msg'])).toContain(`while ${BETA} finished runs`);
  expect((await lab.reached(await take(), ['done'])).bootstrax.host).toBe(BETA);
  const told = await lab.client
    .db(lab.daqDb)
    .collection('log')
    .findOne({ priority: 3, message: { $regex: 'takes no runs until' } });
  expect(told).not.toBeNull();
  await alpha.kill();

  // Mended, it still has to show it; the other host is busy with a long run meanwhile.
  const mended = await manager({ config });
  const taking = lab.takeRuns(['--seconds', '20', '--speed', '1', '--chunk-seconds', '2']);
  await mended.event('host.on_probation');
  await lab.reached(await take(), ['done']);
  await mended.event('host.trusted');
  await taking;
});

test('a run of this host whose document was broken meanwhile is set aside, and nothing else', async () => {
  const alpha = await manager();
  const taking = lab.takeRuns(['--seconds', '8', '--speed', '1', '--chunk-seconds', '2']);
  const started = await alpha.event('attempt.started');
  const number = started['run'] as number;
  await alpha.kill();
  await set(number, { detectors: 7 });
  const next = await manager();
  await next.event('run.set_aside', { run: number });
  const broken = await lab.run(number);
  expect(broken.bootstrax).toMatchObject({ state: 'failed', outcome: 'set_aside' });
  expect(broken.bootstrax.malformed).toEqual([expect.objectContaining({ field: 'detectors' })]);
  uncounted(broken);
  await taking;
  // Mended, it goes back to the queue by itself.
  await set(number, { detectors: ['tpc'] });
  uncounted(await lab.reached(number, ['done']));
});
