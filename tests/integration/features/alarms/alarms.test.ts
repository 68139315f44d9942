import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import type { AlarmsPanel } from '../../../../src/readmodel/api.ts';
import { ALARM_POINTS, MAINTENANCE_POINTS } from '../../../faults/crash-points/elsewhere.ts';
import { DashboardProcess } from '../../../support/dashboard.ts';
import { Lab, until } from '../../../support/lab.ts';
import { HttpReceiver, MailReceiver } from '../../../support/receivers.ts';
import { type Changes, type Configuration, smallMachine } from '../../../support/small-machine.ts';

const ago = (seconds: number) => new Date(Date.now() - seconds * 1000);

let lab: Lab;
let http: HttpReceiver;
let mail: MailReceiver;
let settings: Changes;
let config: Configuration;
let dashboards: DashboardProcess[] = [];
let number = 100;

beforeAll(async () => {
  lab = await Lab.start();
  http = await HttpReceiver.start();
  mail = await MailReceiver.start();
  settings = {
    alarms: {
      webhook: `${http.url}/hook/k3y`,
      deadMan: `${http.url}/alive`,
      deadManSeconds: 0.3,
      mailServer: mail.url,
      mailFrom: 'bootstrax@lab.test',
      mailTo: ['shift@lab.test', 'expert@lab.test'],
      link: 'https://dashboard.lab.test/',
      pollSeconds: 0.2,
      holdSeconds: 0.4,
      retrySeconds: 0.3,
    },
  };
  config = smallMachine(settings);
  await writeForDashboards(config);
});
afterAll(async () => {
  await mail?.end();
  await http?.end();
  await lab?.end();
});

beforeEach(() => {
  http.messages.length = 0;
  mail.mails.length = 0;
  http.refused = 0;
  http.status = 200;
});
afterEach(async () => {
  await endDashboards();
  await lab.runs.deleteMany({});
  await lab.runsDatabase.collection('bootstrax_alarms').deleteMany({});
});

const writeForDashboards = ({ text }: Configuration) =>
  writeFile(join(lab.root, 'alarms.toml'), text, { mode: 0o600 });

/** Dashboards that nobody looks at. */
async function watch(count: number, env: Record<string, string> = {}): Promise<void> {
  const file = { BOOTSTRAX_CONFIG: join(lab.root, 'alarms.toml') };
  for (let i = 0; i < count; i++) {
    dashboards.push(await DashboardProcess.start(lab, { ...file, ...env }));
  }
}

async function endDashboards(): Promise<void> {
  await Promise.all(dashboards.map((dashboard) => dashboard.end()));
  dashboards = [];
}

async function giveUp(reason = 'boom'): Promise<number> {
  const run = ++number;
  await lab.insertRuns({
    ...{ number: run, start: ago(4000), end: ago(3900), mode: 'radon', detectors: ['tpc'] },
    ...{ tags: [], rate: {}, daq_config: {}, data: [] },
    bootstrax: {
      ...{ state: 'failed', host: 'beta', time: ago(9), n_failures: 10, outcome: 'given_up' },
      ...{ reason: `beta:\n${reason}\nTraceback`, next_retry: ago(5) },
    },
  });
  return run;
}

const mend = (run: number) =>
  lab.runs.updateOne(
    { number: run },
    { $set: { 'bootstrax.state': 'done', 'bootstrax.outcome': 'done' } },
  );

/** So many more looks have been taken. */
async function looks(count: number): Promise<void> {
  const before = http.pings;
  await until('further looks', () => http.pings >= before + count);
}

async function alarms(): Promise<AlarmsPanel> {
  const { stdout } = await lab.command(['alarms', '--json'], { config });
  return JSON.parse(stdout) as AlarmsPanel;
}

describe('an alarm', () => {
  it('is sent once by three dashboards that nobody has open, and once more when it is over', async () => {
    await watch(3);
    const run = await giveUp('<!channel> @all');
    const key = `given_up:${run}`;
    await until('both to be told', () => http.ids.length > 0 && mail.mails.length > 0);
    await looks(8);
    expect(http.ids).toEqual([`${key}/1/raised`]);
    expect(http.messages[0]?.subject).toBe(`bootstrax: ALARM: run given up ${run}`);
    expect(http.messages[0]?.text).toContain('https://dashboard.lab.test/');
    expect(http.messages[0]?.text).not.toMatch(/[<>@]/);
    expect(mail.mails).toHaveLength(1);
    expect(mail.mails[0]?.to).toEqual(['shift@lab.test', 'expert@lab.test']);
    expect(mail.mails[0]?.text).toContain(`Subject: bootstrax: ALARM: run given up ${run}`);

    await endDashboards();
    await watch(2);
    await looks(8);
    expect(http.ids).toEqual([`${key}/1/raised`]);

    await mend(run);
    await until('both to be told', () => http.ids.length > 1 && mail.mails.length > 1);
    await looks(8);
    expect(http.ids).toEqual([`${key}/1/raised`, `${key}/1/cleared`]);
    expect(mail.mails).toHaveLength(2);
    expect(mail.mails[1]?.text).toContain(`Subject: bootstrax: over: run given up ${run}`);
    expect((await alarms()).recent).toMatchObject([
      { key, told: [{ receiver: 'webhook', said: 'cleared' }, { said: 'cleared' }] },
    ]);
  });

  it('is not told in a maintenance window, and after it if it is still so', async () => {
    await watch(2);
    const args = ['maintenance', 'start', '--hours', '1', '--reason', 'new disks', '--json'];
    const { stdout, code } = await lab.command(args);
    expect(code).toBe(0);
    const { id } = JSON.parse(stdout) as { id: string };
    const [lasting, passing] = [await giveUp(), await giveUp()];
    await until('both to be open', async () => (await alarms()).open.length === 2);
    await mend(passing);
    await until('one to be over', async () => (await alarms()).recent.length === 1);
    await looks(5);
    expect(http.ids).toEqual([]);
    expect((await alarms()).maintenance).toMatchObject([{ id, reason: 'new disks', host: null }]);
    expect((await lab.command(['maintenance', 'end', id])).code).toBe(0);
    await until('the one to be told', () => http.ids.length > 0);
    await looks(5);
    expect(http.ids).toEqual([`given_up:${lasting}/1/raised`]);
    expect((await lab.command(['maintenance', 'end', id])).code).toBe(1);
    expect((await lab.command(['maintenance', 'list'])).stdout).toContain('new disks');
  });

  it('a receiver that fails is tried again, and shown, and delays no other', async () => {
    http.status = 500;
    await watch(2);
    const run = await giveUp();
    await until('the mail', () => mail.mails.length > 0);
    await until('three tries', () => http.refused >= 3);
    const { receivers } = await alarms();
    const webhook = receivers.find(({ destination }) => destination === 'webhook');
    expect(webhook).toMatchObject({ problem: 'the receiver answered with status 500', sent: null });
    expect(webhook?.failingSince).not.toBeNull();
    const { stdout } = await lab.command(['alarms'], { config });
    expect(stdout).toContain(`webhook: FAILING since`);
    expect(stdout + dashboards.map(({ log }) => log).join('')).not.toContain('k3y');
    http.status = 200;
    await until('the webhook', () => http.ids.length > 0);
    await looks(5);
    expect(http.ids).toEqual([`given_up:${run}/1/raised`]);
    expect(http.strays).toEqual([]);
    expect(mail.mails).toHaveLength(1);
    const again = (await alarms()).receivers.find(({ destination }) => destination === 'webhook');
    expect(again).toMatchObject({ problem: null, failingSince: null });
  });

  it('after a kill between sending and noting it down, comes again as the same message', async () => {
    const run = await giveUp();
    await watch(1, { BOOTSTRAX_CRASH_AT: 'alarms.told:before' });
    const [dying] = dashboards;
    await until('the dashboard to be killed', () => dying?.log.includes('killed here'));
    const told = [http.ids.length, mail.mails.length];
    expect(Math.max(...told)).toBe(1);
    // Its turn would end by itself after a minute.
    await lab.runsDatabase
      .collection('bootstrax_alarms')
      .updateMany({ claimed_until: { $ne: null } }, { $set: { claimed_until: ago(1) } });
    await watch(1);
    await until('all to be told', async () => (await alarms()).open[0]?.told.length === 2);
    await looks(5);
    expect(new Set(http.ids)).toEqual(new Set([`given_up:${run}/1/raised`]));
    expect(http.ids.length + mail.mails.length).toBeLessThanOrEqual(2 + told[0]! + told[1]!);
  });
});

describe('wherever the power is cut', () => {
  it.each(ALARM_POINTS)('at %s, both are told, and that it is over', async (cut) => {
    const run = await giveUp();
    await watch(1, { BOOTSTRAX_CRASH_AT: cut });
    if (cut.startsWith('alarms.clear:')) {
      await until('both to be told', () => http.ids.length > 0 && mail.mails.length > 0);
      await mend(run);
    }
    const [dying] = dashboards;
    await until('the dashboard to be killed', () => dying?.log.includes('killed here'));
    // Its turns would end by themselves after a minute.
    await lab.runsDatabase
      .collection('bootstrax_alarms')
      .updateMany({ claimed_until: { $ne: null } }, { $set: { claimed_until: ago(1) } });
    await watch(1);
    if (!cut.startsWith('alarms.clear:')) {
      await until('both to be told', () => http.ids.length > 0 && mail.mails.length > 0);
      await mend(run);
    }
    const isOver = () =>
      http.ids.includes(`given_up:${run}/1/cleared`) &&
      mail.mails.some(({ text }) => text.includes('Subject: bootstrax: over'));
    await until('both to be told that it is over', isOver);
    const said = [`given_up:${run}/1/raised`, `given_up:${run}/1/cleared`];
    expect([...new Set(http.ids)]).toEqual(said);
  });

  it.each(MAINTENANCE_POINTS)(
    'at %s, a maintenance is there or not, and can be ended',
    async (cut) => {
      const start = ['maintenance', 'start', '--hours', '1', '--reason', 'new disks'];
      const end = ['maintenance', 'end'];
      const isStart = cut.startsWith('maintenance.start:');
      if (!isStart) expect((await lab.command(start)).code).toBe(0);
      const env = { BOOTSTRAX_CRASH_AT: cut };
      const { stderr } = await lab.command(isStart ? start : end, { env });
      expect(stderr).toContain('killed here');
      const lasts = cut === 'maintenance.start:after' || cut === 'maintenance.end:before';
      expect((await alarms()).maintenance).toHaveLength(lasts ? 1 : 0);
      expect((await lab.command(end)).code).toBe(lasts ? 0 : 1);
      expect((await alarms()).maintenance).toEqual([]);
    },
  );
});

it('a manager that is killed is told as silent, and as back when it is', async () => {
  const limits: Changes = { limits: { presumedDeadSeconds: 21 } };
  await writeForDashboards(smallMachine(settings, limits));
  const manager = await lab.manager({ config: smallMachine(limits) });
  await manager.event('manager.ready');
  await watch(2);
  await looks(3);
  expect(http.ids).toEqual([]);
  await manager.kill();
  const key = 'host_silent:alpha.test.local';
  await until('the alarm', () => http.ids.length > 0);
  expect(http.ids).toEqual([`${key}/1/raised`]);
  const next = await lab.manager({ config: smallMachine(limits) });
  await next.event('manager.ready');
  await until('it to be over', () => http.ids.length > 1);
  expect(http.ids).toEqual([`${key}/1/raised`, `${key}/1/cleared`]);
  await next.kill();
  // Later tests know neither this host nor its limit.
  await lab.runsDatabase.collection('bootstrax').deleteMany({});
  await writeForDashboards(config);
});

describe('a test of the receivers', () => {
  it('is sent to each of them', async () => {
    const pings = http.pings;
    const { code, stdout } = await lab.command(['alarms', 'test'], { config });
    expect(stdout).toBe('webhook: sent\nmail: sent\ndead-man signal: sent\n');
    expect(code).toBe(0);
    expect(http.messages[0]?.alarms[0]?.state).toBe('test');
    expect(mail.mails).toHaveLength(1);
    expect(http.pings).toBe(pings + 1);
  });

  it.each([403, 302])('says which of them fails, without its key: %i', async (status) => {
    http.status = status;
    const { code, stdout } = await lab.command(['alarms', 'test', '--json'], { config });
    expect(code).toBe(1);
    const { sent } = JSON.parse(stdout) as { sent: unknown[] };
    expect(sent).toContainEqual({
      destination: 'webhook',
      problem: `the receiver answered with status ${status}`,
    });
    expect(stdout).not.toContain('k3y');
    expect(http.strays).toEqual([]);
  });

  it('needs one', async () => {
    const { code, stderr } = await lab.command(['alarms', 'test']);
    expect(code).toBe(2);
    expect(stderr).toContain('alarms.webhook');
  });
});

it('without the database the dead-man signal stops, and comes again with it', async () => {
  await watch(1);
  await looks(2);
  await lab.signalServer('SIGKILL');
  let last = -1;
  await until('the signal to stop', async () => {
    const before = http.pings;
    await new Promise((resolve) => setTimeout(resolve, 3000));
    last = http.pings;
    return last === before;
  });
  await lab.startServer();
  await looks(2);
  expect(http.pings).toBeGreaterThan(last);
  expect(http.ids).toEqual([]);
});
