import { afterAll, beforeAll, expect, test } from 'vitest';

import { Lab } from '../../support/lab.ts';

interface Answer {
  ok: boolean;
  server: string;
  database: string;
  left: string | null;
  checks: { check: string; state: string; says: string; means: string }[];
  privileges: { name: string; actions: string[]; missing: string[] | null }[];
  granted: string;
  commands: string[];
}

let lab: Lab;
beforeAll(async () => {
  lab = await Lab.start();
});
afterAll(() => lab.end());

const databases = async () => {
  const { databases: all } = await lab.client.db('admin').admin().listDatabases();
  return all.map(({ name }) => name).sort();
};

test('doctor --contract says whether a server keeps what is needed, and leaves it as it was', async () => {
  const before = await databases();
  const { code, stdout, stderr } = await lab.command(['doctor', '--contract', lab.url, '--json']);
  expect(code, stdout + stderr).toBe(0);
  const answer = JSON.parse(stdout) as Answer;
  expect(answer).toMatchObject({ ok: true, left: null });
  expect(answer.server).toContain('MongoDB');
  expect(answer.checks.length).toBeGreaterThan(10);
  for (const { means, says } of answer.checks) {
    expect(means.length).toBeGreaterThan(20);
    expect(says.length).toBeGreaterThan(10);
  }
  const names = answer.privileges.map(({ name }) => name);
  expect(names).toContain(`${lab.runsDb}.runs`);
  expect(names).toContain(`${lab.daqDb}.eb_monitor`);
  expect(answer.commands[0]).toContain('createRole(');
  expect(answer.commands[1]).toContain('grantRolesToUser(');
  expect(await databases()).toEqual(before);
});

test('in words: each check with what it means, then the privileges and how to grant them', async () => {
  const { code, stdout } = await lab.command(['doctor', '--contract', lab.url]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^ok +claim: /m);
  expect(stdout).toContain('exactly one gets it');
  expect(stdout).toContain('db.getSiblingDB("admin").createRole({');
  expect(stdout).toMatch(/The scratch database bootstrax_contract_[0-9a-f]{16} is removed/);
});

test('a password in the URL is refused, and not repeated', async () => {
  const url = 'mongodb://daq:geheim@127.0.0.1:1/';
  const { code, stdout, stderr } = await lab.command(['doctor', '--contract', url]);
  expect(code).toBe(2);
  expect(stderr).toContain('credentials file');
  expect(stdout + stderr).not.toContain('geheim');
});

test('a server that is not there: exit code 1 and one line', async () => {
  const url = 'mongodb://127.0.0.1:1/?directConnection=true';
  const { code, stderr } = await lab.command(['doctor', '--contract', url], {
    env: { BOOTSTRAX_DATABASE_CALL_TIMEOUT_SECONDS: '2' },
  });
  expect(code).toBe(1);
  expect(stderr.trim().split('\n').at(-1)).toMatch(/^bootstrax: .*127\.0\.0\.1:1/);
});
