import { existsSync } from 'node:fs';
import { appendFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { serversOnDisk } from '../../../src/attempt/worker/servers-on-disk.ts';
import { workersPath } from '../../../src/infra/config/paths.ts';
import { Lab, type ManagerProcess, until } from '../../support/lab.ts';

const TAKE = ['--seconds', '2', '--chunk-seconds', '1', '--speed', '0', '--rate', '3'];

let lab: Lab;
beforeAll(async () => {
  lab = await Lab.start();
});
afterAll(() => lab.end());

const workersOf = (host: string) => serversOnDisk(workersPath(lab.stateDir(host)));
const pidsOf = (host: string) => workersOf(host).map(({ identity }) => identity.pid);

async function processed(manager: ManagerProcess): Promise<boolean> {
  const [number] = await lab.takeRuns(TAKE);
  const { warm } = await manager.event('attempt.started', { run: number! });
  await lab.reached(number!, ['done']);
  return warm === true;
}

test.each(['SIGKILL', 'SIGTERM', 'SIGINT'] as const)(
  'a manager that is ended by %s leaves its worker, and the next one forks from the same process',
  async (signal) => {
    const host = `${signal.toLowerCase()}.test.local`;
    const first = await lab.manager({ host });
    await first.event('worker.ready', { warm: true, kept: false });
    expect(await processed(first)).toBe(true);
    const before = pidsOf(host);
    expect(before).toHaveLength(1);
    await first.kill(signal);
    const next = await lab.manager({ host });
    await next.event('worker.ready', { warm: true, kept: true });
    expect(await processed(next)).toBe(true);
    expect(pidsOf(host)).toEqual(before);
    await next.kill();
    await lab.endWorkers(host);
  },
);

test('a manager that replaces another takes its worker over', async () => {
  const host = 'replaced.test.local';
  const elder = await lab.manager({ host });
  await elder.event('worker.ready');
  const before = pidsOf(host);
  const younger = await lab.manager({ host });
  await younger.event('worker.ready', { kept: true });
  await elder.exited;
  expect(await processed(younger)).toBe(true);
  expect(pidsOf(host)).toEqual(before);
  await younger.kill();
});

test('after a change of its code the next manager has a new worker, and says what changed', async () => {
  const host = 'changed.test.local';
  const site = join(lab.root, 'site');
  await mkdir(site);
  await writeFile(
    join(site, 'site_small.py'),
    'from bootstrax_worker.contexts.small import prepare, small, warm_up\n',
  );
  const choices = {
    host,
    context: 'site_small:small',
    env: { BOOTSTRAX_PYTHON_PATH: site },
  };
  const first = await lab.manager(choices);
  await first.event('worker.ready');
  const [before] = pidsOf(host);
  await first.kill();
  await appendFile(join(site, 'site_small.py'), '\n# another version\n');
  const next = await lab.manager(choices);
  await next.event('worker.ready', { kept: false });
  const note = await next.event('worker.note');
  expect(note['msg']).toMatch(/site_small\.py has changed/);
  expect(pidsOf(host)).not.toContain(before);
  await until('the old worker to end', () => !existsSync(`/proc/${before}/exe`));
  await next.kill();
});

test('doctor names the worker, and stop --children ends it where no manager runs', async () => {
  const host = 'stopped.test.local';
  const manager = await lab.manager({ host });
  await manager.event('worker.ready');
  const [pid] = pidsOf(host);
  await manager.kill();
  const { stdout } = await lab.command(['doctor', '--json'], { host });
  const { checks } = JSON.parse(stdout) as { checks: { check: string; says: string }[] };
  expect(checks.find(({ check }) => check === 'warm worker')?.says).toMatch(
    new RegExp(`^pid ${pid} \\(.+\\) takes attempts$`),
  );
  const { code } = await lab.command(['stop', '--children'], { host });
  expect(code).toBe(0);
  await until('the worker to end', () => !existsSync(`/proc/${pid}/exe`));
});

test.each(['with a manager', 'without one'])(
  'a host that is handed back keeps no worker: %s',
  async (how) => {
    const host = `handed-back-${how.split(' ')[0]}.test.local`;
    const manager = await lab.manager({ host });
    await manager.event('worker.ready');
    const [pid] = pidsOf(host);
    if (how === 'without one') await manager.kill();
    const { code, stderr } = await lab.command(['handback'], { host });
    expect(code, stderr).toBe(0);
    await until('the worker to end', () => !existsSync(`/proc/${pid}/exe`));
    expect(workersOf(host)).toEqual([]);
  },
);
