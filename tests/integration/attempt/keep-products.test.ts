import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';

import { Lab, type ManagerProcess, type StoredRun, until } from '../../support/lab.ts';
import { type Changes, type Configuration, smallMachine } from '../../support/small-machine.ts';

// `bootstrax reprocess N --keep`: what a run has stays, listed and readable, until the new is there.

const PATIENCE_MS = 240_000;
const HOST = 'alpha.test.local';
const TAKE = ['--seconds', '3', '--chunk-seconds', '1', '--speed', '0', '--rate', '5'];
const BASE: Changes = {
  targets: { default: ['peak_basics'], postProcessing: ['raw_records'] },
  limits: { housekeepingSeconds: 1 },
};
const HEALTHY = smallMachine(BASE);
const FAIL: Changes = { worker: { contextOptions: { fail_in: 'peak_basics' } } };
const FAILING = smallMachine(BASE, FAIL);
const slow = (seconds: number) =>
  smallMachine(BASE, { worker: { contextOptions: { sleep_seconds: { peak_basics: seconds } } } });
const SLOW = slow(600);

let lab: Lab;
const managers: ManagerProcess[] = [];
beforeAll(async () => {
  lab = await Lab.start();
});
afterEach(async () => {
  for (const manager of managers.splice(0)) await manager.kill();
  // Nobody goes on with a run of an earlier test.
  await lab.runs.updateMany({}, { $set: { 'bootstrax.state': 'abandoned' } });
});
afterAll(() => lab.end());

async function start(
  config: Configuration,
  env: Record<string, string> = {},
): Promise<ManagerProcess> {
  const manager = await lab.manager({ config, env });
  managers.push(manager);
  return manager;
}

async function stop(manager: ManagerProcess): Promise<void> {
  await manager.kill('SIGKILL');
  managers.splice(managers.indexOf(manager), 1);
}

/** Of a run in the output folder: its files, with time and size, and who each folder says has made it. */
interface OnDisk {
  files: Record<string, string>;
  makers: Record<string, unknown>;
}

async function onDisk(number: number): Promise<OnDisk> {
  const found: OnDisk = { files: {}, makers: {} };
  for (const folder of (await readdir(lab.output)).sort()) {
    if (!folder.startsWith(`${String(number).padStart(6, '0')}-`)) continue;
    for (const name of (await readdir(join(lab.output, folder))).sort()) {
      const path = join(lab.output, folder, name);
      const { mtimeMs, size } = await stat(path);
      found.files[`${folder}/${name}`] = `${mtimeMs} ${size}`;
      if (!name.endsWith('-metadata.json')) continue;
      const metadata = JSON.parse(await readFile(path, 'utf8')) as {
        bootstrax: { attempt: string };
      };
      found.makers[folder] = metadata.bootstrax.attempt;
    }
  }
  return found;
}

const listed = ({ data }: StoredRun) =>
  data
    .filter(({ host }) => host === HOST)
    .map(({ location }) => String(location))
    .sort();

const foldersOf = ({ makers }: OnDisk) => Object.keys(makers).map((name) => join(lab.output, name));

interface Before {
  number: number;
  document: StoredRun;
  disk: OnDisk;
}

/** A run that is done, and asked to be reprocessed while what it has stays. */
async function askedFor(): Promise<Before> {
  const manager = await start(HEALTHY);
  const [number] = await lab.takeRuns(TAKE);
  await lab.reached(number!, ['done']);
  await manager.event('attempt.ended', { run: number!, outcome: 'done' });
  await stop(manager);
  const document = await lab.run(number!);
  const disk = await onDisk(number!);
  expect(foldersOf(disk)).toEqual(listed(document));
  const asked = await lab.command(['reprocess', String(number), 'why', 'not', '--keep'], {
    config: HEALTHY,
  });
  expect(asked).toMatchObject({ code: 0 });
  return { number: number!, document, disk };
}

/** What there was is there and listed. */
async function expectKept({ number, document, disk }: Before): Promise<void> {
  expect(await onDisk(number)).toEqual(disk);
  const now = await lab.run(number);
  expect(listed(now)).toEqual(listed(document));
  expect(now['deleted_data']).toEqual(document['deleted_data']);
}

/** What there is, is of this attempt, and listed once; nothing of before is left anywhere. */
async function expectReplaced({ number, disk }: Before, attempt: unknown): Promise<void> {
  const [now, there] = [await lab.run(number), await onDisk(number)];
  expect(Object.keys(there.makers)).toEqual(Object.keys(disk.makers));
  expect(new Set(Object.values(there.makers))).toEqual(new Set([attempt]));
  expect(listed(now)).toEqual(foldersOf(there));
  expect(now.bootstrax).not.toHaveProperty('keep_products');
  await until('the places of attempts to be gone', async () => {
    const places = await readdir(`${lab.output}.staging`).catch((): string[] => []);
    return places.length === 0;
  });
}

test(
  'while a run is reprocessed what it has stays as it is, until all that is new takes its place',
  async () => {
    const before = await askedFor();
    const { number } = before;
    const manager = await start(slow(3));
    const { attempt } = await manager.event('attempt.started', { run: number });
    await until('the new to be begun', async () => {
      const begun = await readdir(lab.placeOf(String(attempt))).catch((): string[] => []);
      return begun.some((name) => name.includes('-raw_records-'));
    });
    await expectKept(before);
    const ended = await manager.event('attempt.ended', { run: number, outcome: 'done' });
    await expectReplaced(before, ended['attempt']);
  },
  PATIENCE_MS,
);

test(
  'a failed attempt leaves what the run had as it was, and a retry still keeps it',
  async () => {
    const before = await askedFor();
    const { number } = before;
    const failing = await start(smallMachine(BASE, FAIL, { retry: { baseSeconds: 3600 } }));
    await failing.event('attempt.ended', { run: number, outcome: 'failed' });
    await stop(failing);
    await expectKept(before);
    expect((await lab.run(number)).bootstrax).toMatchObject({ state: 'failed', n_failures: 1 });
    await lab.command(['retry', String(number)], { config: HEALTHY });
    const again = await start(SLOW);
    await again.event('attempt.started', { run: number });
    await expectKept(before);
    await stop(again);
    await lab.command(['stop', '--children'], { config: SLOW });
  },
  PATIENCE_MS,
);

test(
  'what an attempt has left out stays as it was, beside what it has replaced',
  async () => {
    const before = await askedFor();
    const { number, disk } = before;
    const failing = await start(FAILING);
    const { attempt } = await failing.event('attempt.ended', { run: number, outcome: 'done' });
    const there = await onDisk(number);
    expect(Object.keys(there.makers)).toEqual(Object.keys(disk.makers));
    for (const [folder, maker] of Object.entries(there.makers)) {
      const isLeftOut = folder.includes('-peak_basics-');
      expect(maker).toBe(isLeftOut ? disk.makers[folder] : attempt);
    }
    expect(listed(await lab.run(number))).toEqual(foldersOf(there));
  },
  PATIENCE_MS,
);

test.each(['trash.take:after', 'place.publish:after', 'runs.conclude:after', 'trash.doom:after'])(
  'a manager that is cut at %s leaves it to the next to put the new in the place of what was there',
  async (point) => {
    const before = await askedFor();
    const cut = await start(HEALTHY, { BOOTSTRAX_CRASH_AT: point });
    await cut.exited;
    expect(cut.text).toContain(`crash point ${point}`);
    const second = await start(HEALTHY);
    await lab.reached(before.number, ['done']);
    await second.event('manager.ready');
    const [attempt] = new Set(Object.values((await onDisk(before.number)).makers));
    await expectReplaced(before, attempt);
    expect(Object.values(before.disk.makers)).not.toContain(attempt);
  },
  PATIENCE_MS,
);

test(
  'what had taken the place of earlier products goes back where the run was taken away meanwhile',
  async () => {
    const before = await askedFor();
    const cut = await start(HEALTHY, { BOOTSTRAX_CRASH_AT: 'place.publish:after#2' });
    await cut.exited;
    expect(await onDisk(before.number)).not.toEqual(before.disk);
    // Another host has failed with it since, and waits.
    await lab.runs.updateOne(
      { number: before.number },
      {
        $set: {
          'bootstrax.state': 'failed',
          'bootstrax.host': 'beta.test.local',
          'bootstrax.next_retry': new Date(Date.now() + 3_600_000),
        },
        $unset: { 'bootstrax.attempt': '', 'bootstrax.attempt_time': '' },
      },
    );
    const second = await start(HEALTHY);
    await second.event('attempt.products_removed', { run: before.number });
    await expectKept(before);
  },
  PATIENCE_MS,
);
