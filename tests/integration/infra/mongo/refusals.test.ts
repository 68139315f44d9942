import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';

import { Lab } from '../../../support/lab.ts';

const UNAUTHORIZED = 13;

describe('a database that refuses what a manager needs', () => {
  let lab: Lab;

  beforeAll(async () => {
    lab = await Lab.start({ testCommands: true });
  });
  afterEach(async () => {
    await lab.failCommands(['update', 'aggregate'], { times: 0 });
    await lab.endManagers();
  });
  afterAll(() => lab.end());

  test('from the start is named with what to do, and the host is not called ready before it is mended', async () => {
    await lab.failCommands(['update'], { times: 'always', code: UNAUTHORIZED });
    const manager = await lab.manager();
    const refused = await manager.event('database.refused', { level: 50 });
    expect(refused['msg']).toMatch(/Waiting does not help: .*bootstrax doctor/);
    const waiting = await manager.event('database.waiting', {
      what: 'the manager that holds this host',
    });
    expect(waiting['msg']).toMatch(/updating bootstrax \(runs database\)/);
    expect(manager.lines.map(({ event }) => event)).not.toContain('manager.ready');
    await lab.failCommands(['update'], { times: 0 });
    await manager.event('manager.ready');
  });

  test('later keeps the host from new runs with the reason, and they are taken once it is mended', async () => {
    const manager = await lab.manager();
    await manager.event('manager.ready');
    await lab.failCommands(['update'], { times: 'always', code: UNAUTHORIZED });
    const [number] = await lab.takeRuns(['--seconds', '2', '--speed', '0', '--rate', '5']);
    const why = await manager.event('host.not_accepting', { kind: 'database' });
    expect(why['msg']).toMatch(/taking no new run: updating runs .*Waiting does not help/);
    expect((await lab.run(number!)).bootstrax?.state ?? null).toBeNull();
    await lab.failCommands(['update'], { times: 0 });
    await manager.event('database.granted', { operation: 'updating runs' });
    await lab.reached(number!, ['done']);
  });

  test.each([
    [26, 'no such collection'],
    [238, 'not on this kind of server'],
    [UNAUTHORIZED, 'not allowed'],
  ])('a change stream refused with code %i (%s) is not called well by doctor', async (code) => {
    await lab.failCommands(['aggregate'], { times: 'always', code });
    const { stdout } = await lab.command(['doctor', '--json']);
    const { checks } = JSON.parse(stdout) as { checks: { check: string; state: string }[] };
    expect(checks.find(({ check }) => check === 'change stream')).toMatchObject({ state: 'warn' });
  });
});
