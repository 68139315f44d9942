import { execFileSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  rmSync,
  statfsSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { Lab, type ManagerProcess, until } from '../support/lab.ts';
import { type Lack, lacking, NOT_ROOT } from '../support/lacking.ts';
import { ALPHA, attemptProcesses, config, directoryOf, noOrphans, SHORT_RUN } from './support.ts';

const LIVE_RUN = ['--seconds', '4', '--speed', '1', '--chunk-seconds', '1'];
const DISK_BYTES = 24e6;

function noMounts(): Lack | null {
  if (NOT_ROOT !== null) return NOT_ROOT;
  const folder = '/tmp/bootstrax-mount-probe';
  try {
    mkdirSync(folder, { recursive: true });
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder], { stdio: 'pipe' });
    execFileSync('umount', [folder]);
    return null;
  } catch (error) {
    return { why: `file systems cannot be mounted here: ${String(error)}` };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

let lab: Lab;
beforeAll(async () => {
  lab = await Lab.start();
});
afterAll(() => lab.end());

describe.skipIf(lacking(noMounts()))('disks', () => {
  const mounted: string[] = [];
  let manager: ManagerProcess;
  let output: string;

  function mount(folder: string): void {
    mkdirSync(folder, { recursive: true });
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_BYTES}`, 'tmpfs', folder]);
    mounted.push(folder);
  }
  const remount = (folder: string, how: 'ro' | 'rw') =>
    execFileSync('mount', ['-o', `remount,${how}`, folder], { stdio: 'pipe' });

  /** Takes all the space that is left; `free` gives it back. */
  function fill(folder: string): { free: () => void } {
    const file = join(folder, 'filler');
    const { bavail, bsize } = statfsSync(folder);
    try {
      writeFileSync(file, Buffer.alloc(bavail * bsize + 1e6));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    }
    return { free: () => rmSync(file, { force: true }) };
  }

  let mark = 0;
  beforeAll(async () => {
    // The output folder, and beside it that of the attempts.
    mount(lab.output);
    output = join(lab.output, 'products');
    mkdirSync(output);
    mount(lab.stateDir(ALPHA));
    manager = await lab.manager({
      env: { BOOTSTRAX_OUTPUT: output },
      config: config({ disk: { maxUsedPercent: 90 }, retry: { uncounted: { firstSeconds: 3 } } }),
    });
    await manager.event('worker.ready');
  });
  beforeEach(() => {
    mark = manager.lines.length;
  });
  afterEach(({ task }) => {
    if (task.result?.state === 'fail') console.error(manager.story());
    for (const folder of mounted) {
      remount(folder, 'rw');
      rmSync(join(folder, 'filler'), { force: true });
    }
  });
  afterAll(async () => {
    await manager.kill();
    for (const { pid } of attemptProcesses(lab)) process.kill(pid, 'SIGKILL');
    // The worker may need a moment to notice that its manager is gone.
    for (const folder of mounted) execFileSync('umount', ['--lazy', folder]);
  });

  /** The first such line of this test. */
  const line = (event: string, fields: Record<string, unknown> = {}) =>
    until(`log line ${event} ${JSON.stringify(fields)}`, () =>
      manager.lines
        .slice(mark)
        .find(
          (each) =>
            each['event'] === event &&
            Object.entries(fields).every(([key, value]) => each[key] === value),
        ),
    );

  async function aBusyRun(): Promise<{ number: number; taking: Promise<number[]> }> {
    const taking = lab.takeRuns(LIVE_RUN);
    const started = await line('attempt.started');
    return { number: Number(started['run']), taking };
  }

  /** Strax has begun to store chunks of this run. */
  async function dataWritten(number: number): Promise<void> {
    await until(`data of run ${number}`, async () => {
      const place = (await lab.run(number)).bootstrax.plan?.place;
      if (place === undefined) return false;
      for (const name of await readdir(place).catch(() => [])) {
        const files = await readdir(join(place, name)).catch(() => []);
        if (files.some((file) => /-\d{6}$/.test(file))) return true;
      }
      return false;
    });
  }

  /** In the end done, and nothing of what the disk did was put down to the run. */
  async function doneUncounted(number: number, attempts?: string[]): Promise<void> {
    const run = await lab.reached(number, ['done']);
    expect(run.bootstrax.n_failures ?? 0).toBe(0);
    const history = await lab.attempts.find({ run: number }).sort({ started: 1 }).toArray();
    if (attempts) expect(history.map(({ result }) => result?.outcome)).toEqual(attempts);
    expect(history.filter(({ result }) => result!.counted)).toEqual([]);
    await noOrphans(lab);
  }

  const heartbeatWith = async (state: string) =>
    until(`the host to say '${state}'`, async () =>
      lab.client.db(lab.daqDb).collection('eb_monitor').findOne({ host: ALPHA, state }),
    );

  test('output disk full in the middle of a run: requeued, uncounted, and done once there is space', async () => {
    const { number, taking } = await aBusyRun();
    await dataWritten(number);
    const { free } = fill(lab.output);
    const ended = await line('attempt.ended', { run: number });
    expect(ended).toMatchObject({ outcome: 'requeued', counted: false });
    expect(String(ended['msg'])).toMatch(/No space left/);
    const refusal = await line('host.not_accepting', { kind: 'disk' });
    expect(String(refusal['msg'])).toContain(`the output disk (${output}) is`);
    await heartbeatWith('disk full');
    await taking;
    expect((await lab.run(number)).bootstrax.state).toBe('failed');
    free();
    await line('host.accepting');
    await doneUncounted(number, ['requeued', 'done']);
  });

  test('output folder read-only in the middle of a run: the same, and what is left goes later', async () => {
    const { number, taking } = await aBusyRun();
    await dataWritten(number);
    // Files that are open for writing keep a file system from becoming read-only.
    await until('the file system to be read-only', () => {
      try {
        remount(lab.output, 'ro');
        return true;
      } catch {
        return false;
      }
    });
    const ended = await line('attempt.ended', { run: number });
    expect(ended).toMatchObject({ outcome: 'requeued', counted: false });
    await line('disk.trouble');
    const refusal = await line('host.not_accepting', { kind: 'folder' });
    expect(String(refusal['msg'])).toContain('read-only');
    await taking;
    expect(manager.child.exitCode).toBeNull();
    remount(lab.output, 'rw');
    await doneUncounted(number, ['requeued', 'done']);
    const left = (await readdir(output)).filter((name) => name.endsWith('_temp'));
    expect(left).toEqual([]);
    await until('what is left of the attempt to go', async () => {
      return (await readdir(`${output}.staging`)).length === 0;
    });
  });

  test('state disk full before a run: none is begun, and the host says why', async () => {
    const { free } = fill(lab.stateDir(ALPHA));
    const [number] = await lab.takeRuns(SHORT_RUN);
    const refusal = await line('host.not_accepting', { kind: 'disk' });
    expect(String(refusal['msg'])).toMatch(/the state folder cannot be used: .*full file system/);
    await heartbeatWith('disk full');
    // It may have been claimed before the host had looked; then it came back at once.
    expect((await lab.run(number!)).bootstrax.started_processing).toBeUndefined();
    free();
    await doneUncounted(number!);
  });

  test('state disk full in the middle of a run: its result waits until there is space', async () => {
    const { number, taking } = await aBusyRun();
    const { free } = fill(lab.stateDir(ALPHA));
    await taking;
    const { attempt } = (await lab.run(number)).bootstrax;
    const directory = directoryOf(lab, ALPHA, attempt);
    // The child has nothing left to do but to try to write its result.
    await until('the child to try to write its result', async () =>
      (await readdir(directory)).some((name) => name.startsWith('result.json.')),
    );
    expect((await lab.run(number)).bootstrax.state).toBe('busy');
    free();
    await doneUncounted(number, ['done']);
  });
});

describe('damaged live data', () => {
  const SMALL_RUN = ['--seconds', '2', '--speed', '0', '--chunk-seconds', '1'];
  const folderOf = (number: number) => join(lab.live, String(number).padStart(6, '0'));
  const BASE_SECONDS = 2;
  const GROWTH = 1.5;
  let manager: ManagerProcess;
  let truncated: { number: number; heal: () => void };
  let corrupt: { number: number; heal: () => void };
  beforeAll(async () => {
    truncated = await truncatedRun();
    corrupt = await corruptRun();
    manager = await lab.manager({
      config: config({ retry: { baseSeconds: BASE_SECONDS, growth: GROWTH } }),
      host: 'gamma.test.local',
    });
  });
  afterEach(({ task }) => {
    if (task.result?.state === 'fail') console.error(manager.story());
  });
  afterAll(() => manager.kill());

  async function truncatedRun() {
    const [number] = await lab.takeRuns(SMALL_RUN);
    const chunk = join(folderOf(number!), '000000');
    const files = (await readdir(chunk)).map((name) => join(chunk, name));
    const path = files.sort((a, b) => statSync(b).size - statSync(a).size)[0]!;
    const whole = await readFile(path);
    truncateSync(path, Math.floor(whole.length / 2));
    return { number: number!, heal: () => writeFileSync(path, whole) };
  }

  async function corruptRun() {
    const [number] = await lab.takeRuns([...SMALL_RUN, '--fault', 'corrupt-chunk']);
    const sound = join(lab.root, 'sound');
    await lab.takeRuns([...SMALL_RUN, '--no-database', '--number', '1', '--live-data', sound]);
    const heal = () => cpSync(join(sound, '000001'), folderOf(number!), { recursive: true });
    return { number: number!, heal };
  }

  test.each([
    ['truncated', () => truncated],
    ['corrupt', () => corrupt],
  ])('%s: counted, plugin and file named, put off, done once it is healed', async (_how, what) => {
    const { number, heal } = what();
    const failed = await lab.reached(number, ['failed']);
    const { reason, n_failures, next_retry, time } = failed.bootstrax;
    expect(n_failures).toBeGreaterThan(0);
    expect(reason).toContain('strax failed while making raw_records');
    expect(reason).toContain(`(file ${folderOf(number)}/0000`);
    const delay = (Number(next_retry) - Number(time)) / 1000;
    const middle = BASE_SECONDS * GROWTH ** Math.min(n_failures! - 1, 3);
    expect(delay).toBeGreaterThan(0.5 * middle - 0.1);
    expect(delay).toBeLessThan(1.5 * middle + 0.1);
    heal();
    const done = await lab.reached(number, ['done']);
    const failures = done.bootstrax.n_failures!;
    const history = await lab.attempts.find({ run: number }).toArray();
    expect(history.filter(({ result }) => result?.counted)).toHaveLength(failures);
    expect(failures).toBeGreaterThanOrEqual(n_failures!);
  });
});
