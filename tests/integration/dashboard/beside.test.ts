import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { Lab, type ManagerProcess, until } from '../../support/lab.ts';

/** Nothing that happens to the dashboard of `run --dashboard` may be felt by its manager. */
let lab: Lab;
let manager: ManagerProcess;
const clients: Socket[] = [];

interface Ready {
  url: string;
  pid: number;
}

async function ready(after = 0): Promise<Ready> {
  const found = await until('the dashboard to be ready', () =>
    manager.lines.slice(after).find(({ event }) => event === 'dashboard.ready'),
  );
  return found as unknown as Ready;
}

async function isDone(args: string[] = []): Promise<void> {
  const [number] = await lab.takeRuns(['--seconds', '2', '--rate', '5', ...args]);
  await lab.reached(number!, ['done']);
}

beforeAll(async () => {
  lab = await Lab.start();
});
afterAll(async () => {
  for (const client of clients) client.destroy();
  await lab?.end();
});

test('a taken port keeps it from being served, until the port is free', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address() as { port: number };
  manager = await lab.manager({
    args: ['--dashboard'],
    env: { BOOTSTRAX_DASHBOARD_PORT: String(port) },
  });
  const warning = await manager.event('dashboard.not_served');
  expect(warning['msg']).toContain(`port ${port}`);
  await manager.event('manager.ready');
  await isDone();
  taken.close();
  const { url } = await ready();
  expect(new URL(url).port).toBe(String(port));
  expect((await fetch(new URL('/api/runs', url))).status).toBe(200);
});

test('a client that never reads, and a dashboard that stands still, hold up no run', async () => {
  const { url, pid } = await ready();
  const client = connect(Number(new URL(url).port), '127.0.0.1').pause();
  clients.push(client);
  await once(client, 'connect');
  client.write('GET /api/stream HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n');
  await isDone();
  process.kill(pid, 'SIGSTOP');
  try {
    await isDone();
  } finally {
    process.kill(pid, 'SIGCONT');
  }
  expect((await fetch(new URL('/api/runs', url))).status).toBe(200);
});

test('a dashboard that dies is started again, and its manager goes on', async () => {
  const { pid } = await ready();
  const before = manager.lines.length;
  process.kill(pid, 'SIGKILL');
  const again = await ready(before);
  expect(again.pid).not.toBe(pid);
  expect((await fetch(new URL('/api/runs', again.url))).status).toBe(200);
  expect(manager.child.exitCode).toBeNull();
  await isDone();
});

test('it ends with its manager, however that ends', async () => {
  const { pid } = await ready(manager.lines.findLastIndex(isReady));
  expect(isAlive(pid)).toBe(true);
  await manager.kill('SIGKILL');
  await until('the dashboard to be gone', () => !isAlive(pid));
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function isReady({ event }: Record<string, unknown>): boolean {
  return event === 'dashboard.ready';
}
