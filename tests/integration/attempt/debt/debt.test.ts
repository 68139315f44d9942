import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';

import {
  Lab,
  type ManagerChoices,
  type ManagerProcess,
  type StoredRun,
  until,
} from '../../../support/lab.ts';
import { type Changes, type Configuration, smallMachine } from '../../../support/small-machine.ts';

const PATIENCE_MS = 240_000;
const TAKE = ['--seconds', '3', '--chunk-seconds', '1', '--speed', '0', '--rate', '5'];
const BASE: Changes = {
  targets: { default: ['peak_basics', 'event_basics'], postProcessing: ['raw_records'] },
  // Housekeeping, and with it offers, without long waits.
  limits: { housekeepingSeconds: 1 },
};
const options = (contextOptions: Record<string, object | string>): Changes => ({
  worker: { contextOptions },
});
const HEALTHY = smallMachine(BASE);
const FAILING = smallMachine(BASE, options({ fail_in: 'event_basics' }));
const SLOW = smallMachine(BASE, options({ sleep_seconds: { event_basics: 600 } }));

let lab: Lab;
const managers: ManagerProcess[] = [];
beforeAll(async () => {
  lab = await Lab.start();
});
afterEach(async () => {
  for (const manager of managers.splice(0)) await manager.kill();
  await lab.runs.updateMany({ 'bootstrax.state': 'done' }, { $set: { status: 'transferred' } });
});
afterAll(() => lab.end());

async function start(config: Configuration, choices: ManagerChoices = {}) {
  const manager = await lab.manager({ config, ...choices });
  managers.push(manager);
  return manager;
}

async function stop(manager: ManagerProcess, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  await manager.kill(signal);
  managers.splice(managers.indexOf(manager), 1);
}

interface Snapshot {
  document: StoredRun;
  files: Map<string, number>;
}

/** A run that is done without its events. */
async function runWithDebt(): Promise<Snapshot> {
  const manager = await start(FAILING);
  const [number] = await lab.takeRuns(TAKE);
  await lab.reached(number!, ['done']);
  await manager.event('attempt.ended', { run: number!, outcome: 'done' });
  await stop(manager);
  return snapshot(number!);
}

async function snapshot(number: number): Promise<Snapshot> {
  return { document: await lab.run(number), files: await filesOf(number) };
}

/** Files of a run in the output folder, with the time of their last change. */
async function filesOf(number: number): Promise<Map<string, number>> {
  const files = new Map<string, number>();
  for (const folder of await readdir(lab.output)) {
    if (!folder.startsWith(String(number).padStart(6, '0'))) continue;
    for (const name of await readdir(join(lab.output, folder))) {
      files.set(`${folder}/${name}`, (await stat(join(lab.output, folder, name))).mtimeMs);
    }
  }
  return files;
}

/** What an attempt has begun in its own folder. */
const begunIn = (place: string) => readdir(place).catch((): string[] => []);

/** Who a folder of strax says has made it. */
async function wordIn(folder: string): Promise<unknown> {
  const metadata = (await readdir(folder)).find((name) => name.endsWith('-metadata.json'));
  const text = await readFile(join(folder, metadata!), 'utf8');
  return (JSON.parse(text) as Record<string, unknown>)['bootstrax'];
}

const attempts = () => lab.client.db(lab.runsDb).collection('bootstrax_attempts');
const types = ({ data }: StoredRun) => data.map(({ type }) => String(type));

async function debts(): Promise<Record<string, unknown>[]> {
  const { stdout } = await lab.command(['debt', '--json'], { config: HEALTHY });
  return (JSON.parse(stdout) as { debts: Record<string, unknown>[] }).debts;
}

async function debtOf(run: number) {
  return (await debts()).find((debt) => debt['run'] === run);
}

async function offer(run: number): Promise<void> {
  const answer = await lab.command(['debt', 'offer', String(run), '--json'], {
    config: HEALTHY,
  });
  expect(answer).toMatchObject({ code: 0 });
  expect(JSON.parse(answer.stdout)).toEqual({ offered: [run], refused: [] });
  const audit = await lab.command(['actions', '--run', String(run), '--json']);
  const { actions } = JSON.parse(audit.stdout) as { actions: unknown[] };
  expect(actions[0]).toMatchObject({ kind: 'reprocess', state: 'done', via: 'command' });
}

/** What must hold of a run with a debt whatever happens to the attempts at it. */
async function expectUntouched(before: Snapshot): Promise<void> {
  const after = await snapshot(before.document.number);
  const { state, n_failures: failures, reason, host, time } = after.document.bootstrax;
  const was = before.document.bootstrax;
  expect({ state, failures, reason, host, time }).toEqual({
    ...{ state: 'done', failures: was.n_failures, reason: was.reason, host: was.host },
    time: was.time,
  });
  expect(after.document.status).toBe('eb_finished_pre');
  expect(after.document.bootstrax).not.toHaveProperty('debt');
  expect(after.document.data).toEqual(before.document.data);
  expect(after.document['deleted_data']).toEqual(before.document['deleted_data']);
  expect(after.files).toEqual(before.files);
}

test(
  'what a done run lacks is listed, offered, and made of what is there; the run stays done',
  async () => {
    const before = await runWithDebt();
    const { number } = before.document;
    expect(types(before.document)).not.toContain('event_basics');
    expect(await debtOf(number)).toMatchObject({
      ...{ run: number, host: 'alpha.test.local', dropped: ['event_basics'] },
      ...{
        got: ['peak_basics', 'raw_records'],
        wanted: ['peak_basics', 'raw_records', 'event_basics'],
      },
      ...{ data: 'raw data', state: 'open', offerable: true, why_not: null, tries: 0 },
    });
    expect((await debtOf(number))?.['why']).toMatch(/^plugin error in event_basics: /);

    // Nobody makes it unasked.
    const manager = await start(HEALTHY);
    await manager.event('manager.ready');
    await offer(number);
    await manager.event('debt.ended', { run: number, paid: true });
    const after = await snapshot(number);
    expect(after.document.bootstrax).toMatchObject({
      ...{ state: 'done', n_failures: before.document.bootstrax.n_failures },
      plan: { targets: ['peak_basics', 'event_basics'], dropped: [] },
    });
    expect(after.document.status).toBe('eb_finished_pre');
    expect(types(after.document).sort()).toEqual(
      [...types(before.document), 'event_basics'].sort(),
    );
    // What was there was read, and not made again.
    for (const [file, changed] of before.files) expect(after.files.get(file)).toBe(changed);
    const made = await attempts().findOne({ run: number, ofDebt: true });
    expect(made).toMatchObject({ result: { outcome: 'done', counted: false, dropped: [] } });
    const products = (made?.['result'] as { products: { type: string }[] }).products;
    expect(products.map(({ type }) => type)).toEqual(['event_basics']);
    expect(await debtOf(number)).toBeUndefined();
    const again = await lab.command(['debt', 'offer', String(number)], { config: HEALTHY });
    expect(again).toMatchObject({ code: 1, stdout: `Run ${number}: it lacks nothing.\n` });
  },
  PATIENCE_MS,
);

test(
  'an attempt that fails leaves the run as it was, uncounted, and waits to be offered again',
  async () => {
    const before = await runWithDebt();
    const { number } = before.document;
    await offer(number);
    const manager = await start(FAILING);
    await manager.event('debt.ended', { run: number, paid: false });
    await expectUntouched(before);
    expect(await attempts().findOne({ run: number, ofDebt: true })).toMatchObject({
      result: { outcome: 'failed', counted: false, meaning: { class: 'plugin_error' } },
    });
    expect(await debtOf(number)).toMatchObject({ state: 'open', tries: 1, offerable: true });
    expect((await debtOf(number))?.['reason']).toMatch(/event_basics was asked to fail/);
  },
  PATIENCE_MS,
);

test(
  'a manager that is killed leaves the attempt to the next, which goes on with it',
  async () => {
    const before = await runWithDebt();
    const { number } = before.document;
    await offer(number);
    const slow = options({ sleep_seconds: { event_basics: 2 } });
    const first = await start(smallMachine(BASE, slow));
    await first.event('debt.started', { run: number });
    await stop(first, 'SIGKILL');
    // Meanwhile nobody else goes on with the run, and it is done as before.
    const meanwhile = await lab.run(number);
    expect(meanwhile).toMatchObject({ status: null, bootstrax: { state: 'done' } });
    expect(meanwhile.data).toEqual(before.document.data);
    const second = await start(HEALTHY);
    await second.event('debt.ended', { run: number, paid: true });
    expect(types(await lab.run(number))).toContain('event_basics');
    expect(await attempts().countDocuments({ run: number, ofDebt: true })).toBe(1);
  },
  PATIENCE_MS,
);

test(
  'a machine that goes down in the middle leaves the run done with what it had',
  async () => {
    const before = await runWithDebt();
    const { number } = before.document;
    await offer(number);
    const first = await start(SLOW);
    const { attempt } = await first.event('debt.started', { run: number });
    const directory = join(lab.stateDir('alpha.test.local'), 'attempts', String(attempt));
    const place = lab.placeOf(String(attempt));
    const started = await until('the child', async () => {
      const text = await readFile(join(directory, 'started.json'), 'utf8').catch(() => null);
      return text === null ? null : (JSON.parse(text) as Record<string, { pid: number }>);
    });
    await until('something to be written', async () =>
      (await begunIn(place)).some((name) => /event_basics.*_temp$/.test(name)),
    );
    await stop(first, 'SIGKILL');
    for (const role of ['guardian', 'child']) process.kill(-started[role]!.pid, 'SIGKILL');
    // What it has begun says whose it is, and nothing of it lies in the output folder.
    for (const name of await begunIn(place)) {
      expect(await wordIn(join(place, name))).toEqual({
        ...{ attempt, host: 'alpha.test.local' },
        document: String(before.document._id),
      });
    }
    expect(await filesOf(number)).toEqual(before.files);
    // Another host hands the run on once the holder has been silent for a lease.
    const other = await start(smallMachine(BASE, { limits: { busyLeaseSeconds: 3 } }), {
      host: 'beta.test.local',
    });
    await other.event('debt.released', { run: number });
    expect(await lab.run(number)).toMatchObject({
      status: 'eb_finished_pre',
      bootstrax: { state: 'done' },
    });
    await stop(other);
    // Its own host removes what was begun, and tries again: that was no fault of the run.
    const second = await start(HEALTHY);
    await second.event('debt.products_removed', { run: number });
    expect(await begunIn(place)).toEqual([]);
    await second.event('debt.ended', { run: number, paid: true });
    expect(types(await lab.run(number))).toContain('event_basics');
  },
  PATIENCE_MS,
);

test(
  'it gives way to a run, and to whoever goes on with its own',
  async () => {
    const before = await runWithDebt();
    const { number } = before.document;
    await offer(number);
    const manager = await start(SLOW);
    await manager.event('debt.started', { run: number });
    const [fresh] = await lab.takeRuns(TAKE);
    await manager.event('debt.ended', { run: number, paid: false });
    await manager.event('run.claimed', { run: fresh! });
    await expectUntouched(before);
    expect(await debtOf(number)).toMatchObject({ state: 'offered', tries: 1 });
    await stop(manager, 'SIGKILL');
    await lab.command(['abandon', String(fresh)], { config: HEALTHY });

    const second = await start(SLOW);
    await second.event('debt.started', { run: number });
    await lab.runs.updateOne({ number }, { $set: { restrax: { state: 'busy', n_tries: 1 } } });
    await second.event('debt.ended', { run: number, paid: false });
    await lab.runs.updateOne({ number }, { $unset: { restrax: '' } });
    await expectUntouched(before);
  },
  PATIENCE_MS,
);

test(
  'it is made unasked if a setting says so, and never where others have gone on',
  async () => {
    const before = await runWithDebt();
    const { number } = before.document;
    const taken = await runWithDebt();
    await lab.runs.updateOne(
      { number: taken.document.number },
      { $set: { status: 'eb_ready_to_upload' } },
    );
    const refused = await lab.command(['debt', 'offer', String(taken.document.number), '--json'], {
      config: HEALTHY,
    });
    expect(refused.code).toBe(1);
    expect(JSON.parse(refused.stdout)).toMatchObject({
      offered: [],
      refused: [
        { run: taken.document.number, why: expect.stringMatching(/eb_ready_to_upload/) as string },
      ],
    });
    const manager = await start(smallMachine(BASE, { debt: { offerWhenIdle: true } }));
    await manager.event('debt.ended', { run: number, paid: true });
    expect(await lab.run(taken.document.number)).toMatchObject({
      status: 'eb_ready_to_upload',
      data: taken.document.data,
    });
    expect(await attempts().findOne({ run: taken.document.number, ofDebt: true })).toBeNull();
  },
  PATIENCE_MS,
);
