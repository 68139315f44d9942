import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { Lab } from '../../support/lab.ts';
import { OldServer } from '../../support/old-server.ts';
import { Proxy } from '../../support/proxy.ts';

const NO_SUCH_COMMAND = { ok: 0, code: 59, codeName: 'CommandNotFound', errmsg: 'no such command' };
const HELLO = { ok: 1, ismaster: true, maxBsonObjectSize: 16_777_216, minWireVersion: 0 };
/** MongoDB 4.0: the driver speaks to 4.4 and newer. */
const WIRE_VERSION_OF_4_0 = 7;
/** One sentence: what is wrong, and what to do. */
const TOO_OLD = /wire version 7\b.*this program needs MongoDB 4\.4 or newer: update the server/;

let lab: Lab;
beforeAll(async () => {
  lab = await Lab.start();
});
afterAll(() => lab.end());

describe('a server too old for the driver', () => {
  let old: OldServer;
  beforeEach(async () => {
    old = await OldServer.start({ ...HELLO, maxWireVersion: WIRE_VERSION_OF_4_0 });
  });
  afterEach(() => old.close());

  const there = () => ({ env: { BOOTSTRAX_MONGO_URL: old.url } });

  test('doctor says that it has to be updated, as a problem of the database', async () => {
    const { code, stdout } = await lab.command(['doctor', '--json'], there());
    expect(code).toBe(1);
    const { checks } = JSON.parse(stdout) as { checks: { check: string; state: string }[] };
    const problems = checks
      .filter(({ state }) => state === 'problem')
      .map((c) => JSON.stringify(c));
    expect(problems.some((problem) => TOO_OLD.test(problem))).toBe(true);
  });

  test('a manager says so once, loudly, and goes on asking', async () => {
    const manager = await lab.manager(there());
    const line = await manager.event('database.refused');
    expect(String(line['msg'])).toMatch(/MongoDB 4\.4 or newer/);
    await manager.kill('SIGTERM');
    expect(manager.lines.filter(({ event }) => event === 'database.refused')).toHaveLength(1);
    expect(manager.lines.filter(({ event }) => event === 'manager.crashed')).toEqual([]);
  });

  test('the contract prints its table all the same, each line with what that means', async () => {
    const { stdout } = await lab.command(['doctor', '--contract', old.url]);
    expect(stdout).toMatch(TOO_OLD);
    expect(stdout).toContain('Privileges that a manager and its worker need');
    const { stdout: json } = await lab.command(['doctor', '--contract', old.url, '--json']);
    const { ok, checks } = JSON.parse(json) as { ok: boolean; checks: { state: string }[] };
    expect(ok).toBe(false);
    expect(checks.length).toBeGreaterThan(10);
    expect(checks.some(({ state }) => state === 'ok')).toBe(false);
  });
});

describe('a server that knows isMaster only', () => {
  let proxy: Proxy;
  beforeEach(async () => {
    proxy = await Proxy.to(lab.url);
    proxy.answerWith((command) => 'hello' in command, NO_SUCH_COMMAND, { times: Infinity });
  });
  afterEach(() => proxy.close());

  test('passes the contract, whose table is printed', async () => {
    const { stdout } = await lab.command(['doctor', '--contract', proxy.url]);
    expect(stdout).toMatch(/^ok +/m);
    expect(stdout).toContain('Privileges that a manager and its worker need');
    const { stdout: json } = await lab.command(['doctor', '--contract', proxy.url, '--json']);
    const direct = await lab.command(['doctor', '--contract', lab.url, '--json']);
    const states = (text: string) =>
      (JSON.parse(text) as { checks: { check: string; state: string }[] }).checks.map(
        ({ check, state }) => `${check}: ${state}`,
      );
    expect(states(json)).toEqual(states(direct.stdout));
  });

  test('has its runs processed', async () => {
    const manager = await lab.manager({ env: { BOOTSTRAX_MONGO_URL: proxy.url } });
    await manager.event('manager.ready');
    const [number] = await lab.takeRuns(['--seconds', '3', '--speed', '0', '--rate', '5']);
    expect((await lab.reached(number!, ['done'])).bootstrax.state).toBe('done');
    await manager.kill();
  });
});
