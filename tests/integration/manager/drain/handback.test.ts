import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Document } from 'mongodb';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { HANDED_BACK } from '../../../../src/manager/drain/handback.ts';
import { attemptProcesses, noOrphans } from '../../../faults/support.ts';
import { Lab, type ManagerProcess, until } from '../../../support/lab.ts';
import { claims, killsAtStart } from '../reference-queries.ts';

const HOST = 'alpha.test.local';
/** Long enough for a command to reach the manager meanwhile, however busy the machine is. */
const LIVE_RUN = ['--seconds', '25', '--speed', '1', '--chunk-seconds', '2'];

interface Report {
  ok: boolean;
  message: string;
  runs: { run: number; state: string | null; nextRetry: string | null }[];
  held: number[];
}

let lab: Lab;
let taking: Promise<unknown> = Promise.resolve();
beforeAll(async () => {
  lab = await Lab.start();
});
beforeEach(async () => {
  // Nothing of the test before is taken; its numbers, and with them its folders, stay in use.
  await lab.runs.updateMany(
    { 'bootstrax.state': { $ne: 'done' } },
    { $set: { 'bootstrax.state': 'abandoned' } },
  );
});
afterEach(async () => {
  await taking;
  await noOrphans(lab);
});
afterAll(() => lab.end());

async function managerWithRun(): Promise<{ manager: ManagerProcess; number: number }> {
  const manager = await lab.manager();
  await manager.event('manager.ready');
  taking = lab.takeRuns(LIVE_RUN);
  const started = await manager.event('attempt.started');
  return { manager, number: started['run'] as number };
}

async function handback(...more: string[]): Promise<{ code: number; report: Report }> {
  const { code, stdout, stderr } = await lab.command(['handback', '--json', ...more]);
  expect(stdout.trim().split('\n'), stderr).toHaveLength(1);
  return { code, report: JSON.parse(stdout) as Report };
}

const ebMonitor = () => lab.client.db(lab.daqDb).collection('eb_monitor');

/** Nothing in the databases that the reference would take for something else. */
async function cleanForTheReference(): Promise<void> {
  const runs: Document[] = await lab.runs.find({}).toArray();
  for (const { number, bootstrax } of runs as { number: number; bootstrax: Document }[]) {
    const where = `run ${number}: ${JSON.stringify(bootstrax)}`;
    expect([null, 'done', 'failed', 'abandoned'], where).toContain(bootstrax['state']);
    expect(bootstrax, where).not.toHaveProperty('attempt');
  }
  const { stale, bad } = await claims(lab.runs, new Date(Date.now() + 3_600_000));
  expect({ stale, bad }).toEqual({ stale: [], bad: [] });
  expect(await killsAtStart(ebMonitor(), HOST)).toEqual([]);
  const [last] = await ebMonitor().find({ host: HOST }).sort({ _id: -1 }).limit(1).toArray();
  expect(last).toMatchObject({ state: 'dead_bootstrax', pid: 0 });
  for (const field of ['time', 'targets', 'max_cores', 'max_messages', 'undying']) {
    expect(last).toHaveProperty(field);
  }
  const status = await lab.runsDatabase.collection('bootstrax').findOne({ host: HOST });
  expect(status).toMatchObject({ state: 'busy', accepting: false, runs: [], pid: null });
  expect(status!['why_not']).toContain('handed back');
}

/** Folders in the output without an entry, or entries without a folder. */
async function dataAndEntriesAgree(): Promise<void> {
  const runs = await lab.runs.find({}).toArray();
  const listed = runs.flatMap(({ data }) =>
    data.filter(({ host }) => host === HOST).map(({ location }) => String(location)),
  );
  const present = readdirSync(lab.output).map((name) => join(lab.output, name));
  const known = present.filter((path) =>
    runs.some(({ number }) => path.includes(`/${String(number).padStart(6, '0')}-`)),
  );
  expect(known.sort()).toEqual(listed.sort());
}

describe('with a manager', () => {
  test('the present run ends, the next one is left to the reference, and the manager ends', async () => {
    const { manager, number } = await managerWithRun();
    expect(await killsAtStart(ebMonitor(), HOST)).toContain(manager.child.pid);
    const asked = handback();
    await until('the host to say that it is handed back', async () => {
      const status = await lab.runsDatabase.collection('bootstrax').findOne({ host: HOST });
      return String(status?.['why_not']).includes('handback');
    });
    // Held until the host is left: nobody may take it here.
    const [id] = await lab.insertRuns({
      ...(await lab.run(number)),
      _id: undefined,
      number: number + 1000,
      start: new Date(),
      bootstrax: { state: null },
      data: [],
    });
    const { code, report } = await asked;
    expect(code, JSON.stringify(report)).toBe(0);
    expect(report).toMatchObject({ ok: true, held: [] });
    expect(report.runs).toEqual([{ run: number, state: 'done', nextRetry: null }]);
    expect(await manager.exited).toBe(HANDED_BACK);
    await cleanForTheReference();
    const { fresh } = await claims(lab.runs, new Date());
    expect(fresh).toEqual([number + 1000]);
    await lab.runs.deleteOne({ _id: id! });
    await dataAndEntriesAgree();
  });

  test('--end-children gives the present run back, as the reference understands it', async () => {
    const { manager, number } = await managerWithRun();
    const { code, report } = await handback('--end-children');
    expect(code, JSON.stringify(report)).toBe(0);
    expect(await manager.exited).toBe(HANDED_BACK);
    expect(attemptProcesses(lab)).toEqual([]);
    const run = await lab.run(number);
    expect(run.bootstrax).toMatchObject({ state: 'failed', n_failures: 0 });
    expect(run.bootstrax.next_retry).toBeInstanceOf(Date);
    expect(report.runs).toEqual([
      { run: number, state: 'failed', nextRetry: run.bootstrax.next_retry!.toISOString() },
    ]);
    await cleanForTheReference();
    await dataAndEntriesAgree();
    const due = new Date(run.bootstrax.next_retry!.getTime() + 1);
    expect((await claims(lab.runs, due)).retry).toEqual([number]);
    // A started manager takes over normally.
    const next = await lab.manager();
    expect((await lab.reached(number, ['done'])).bootstrax.n_failures ?? 0).toBe(0);
    await next.kill();
  });

  test('killed in the middle of it: a start takes over normally, and can be handed back', async () => {
    const { manager, number } = await managerWithRun();
    const asked = lab.command(['handback', '--json']);
    await manager.event('host.not_accepting', { kind: 'drained' });
    await manager.kill('SIGKILL');
    const next = await lab.manager();
    await next.event('attempt.adopted', { run: number });
    const { code, stdout } = await asked;
    // Either the one who waited met the new manager, or saw none for a moment and the run still held.
    expect(code, stdout).toBe(1);
    await lab.reached(number, ['done']);
    const { report } = await handback();
    expect(report).toMatchObject({ ok: true });
    expect(await next.exited).toBe(HANDED_BACK);
    await cleanForTheReference();
    await dataAndEntriesAgree();
  });

  test('undrain takes a handback back', async () => {
    const { manager, number } = await managerWithRun();
    const asked = lab.command(['handback', '--json']);
    await manager.event('host.not_accepting', { kind: 'drained' });
    expect((await lab.command(['undrain'])).stdout).toContain('runs are taken again');
    const { code, stderr } = await asked;
    expect(code).toBe(1);
    expect(stderr).toContain('undrain');
    await lab.reached(number, ['done']);
    expect(manager.child.exitCode).toBeNull();
    await manager.kill();
  });
});

describe('without a manager', () => {
  test('the child is waited for, and its run concluded', async () => {
    const { manager, number } = await managerWithRun();
    await manager.kill('SIGKILL');
    expect(attemptProcesses(lab).length).toBeGreaterThan(0);
    const { code, report } = await handback();
    expect(code, JSON.stringify(report)).toBe(0);
    expect(report.runs).toEqual([{ run: number, state: 'done', nextRetry: null }]);
    await cleanForTheReference();
    await dataAndEntriesAgree();
  });

  test('--end-children ends the child and gives its run back', async () => {
    const { manager, number } = await managerWithRun();
    await manager.kill('SIGKILL');
    const { code, report } = await handback('--end-children');
    expect(code, JSON.stringify(report)).toBe(0);
    expect(report.runs).toMatchObject([{ run: number, state: 'failed' }]);
    await noOrphans(lab);
    await cleanForTheReference();
    await dataAndEntriesAgree();
  });

  test('the command itself is killed: it can be called again, or a manager started', async () => {
    const { manager, number } = await managerWithRun();
    await manager.kill('SIGKILL');
    const cut = await lab.command(['handback', '--json', '--end-children'], {
      env: { BOOTSTRAX_CRASH_AT: 'eb_monitor.release_pids:before' },
    });
    expect(cut.stderr).toContain('killed here');
    const { code } = await handback();
    expect(code).toBe(0);
    await cleanForTheReference();
    const next = await lab.manager();
    await lab.reached(number, ['done']);
    await next.kill();
    await dataAndEntriesAgree();
  });

  test('a host that never had a manager is handed back too', async () => {
    const choices = { host: 'never.test.local' };
    const { code, stdout } = await lab.command(['handback', '--json'], choices);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ ok: true, runs: [], held: [] });
  });
});

describe('drain', () => {
  test('is seen in the hosts, survives a restart, and ends with undrain', async () => {
    const manager = await lab.manager();
    await manager.event('manager.ready');
    const { code, stdout } = await lab.command(['drain', '--reason', 'new disks', '--json']);
    expect(code, stdout).toBe(0);
    const drained = async () => {
      const { stdout: text } = await lab.command(['hosts', '--json']);
      const { hosts } = JSON.parse(text) as { hosts: { host: string; whyNot: string | null }[] };
      return hosts.find(({ host }) => host === HOST)?.whyNot?.includes('new disks');
    };
    await until('the host to say that it is drained', drained);
    const [number] = await lab.takeRuns(['--seconds', '2', '--speed', '0']);
    await manager.kill('SIGKILL');
    const next = await lab.manager();
    await next.event('host.not_accepting', { kind: 'drained' });
    const refused = await lab.command(['process', String(number)]);
    expect(refused.code).toBe(1);
    expect(refused.stdout + refused.stderr).toContain('new disks');
    expect((await lab.run(number!)).bootstrax.state).toBeNull();
    expect((await lab.command(['undrain'])).code).toBe(0);
    await lab.reached(number!, ['done']);
    await next.kill();
    expect(existsSync(join(lab.stateDir(HOST), 'drained.json'))).toBe(false);
  });

  test('works without a manager', async () => {
    expect((await lab.command(['drain'])).stdout).toContain('once started, it takes no run');
    const manager = await lab.manager();
    await manager.event('host.not_accepting', { kind: 'drained' });
    await manager.kill();
    expect((await lab.command(['undrain'])).stdout).toContain('once started, it takes runs');
    expect(existsSync(join(lab.stateDir(HOST), 'drained.json'))).toBe(false);
  });
});
