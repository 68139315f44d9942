import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { descendants } from '../../../src/infra/linux/process-tree.ts';
import { Lab, until } from '../../support/lab.ts';
import { NotifySocket } from '../../support/notify-socket.ts';

const WATCHDOG_SECONDS = 3;

let lab: Lab;
let socket: NotifySocket;
beforeAll(async () => {
  lab = await Lab.start();
  socket = await NotifySocket.listen(lab.root);
});
afterAll(async () => {
  socket.close();
  await lab.end();
});

const service = () =>
  lab.manager({
    env: { NOTIFY_SOCKET: socket.path, WATCHDOG_USEC: String(WATCHDOG_SECONDS * 1e6) },
  });

const environmentOf = (pid: number) => {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0');
  } catch {
    return [];
  }
};

test('under systemd: ready when it takes runs; when it hangs the pings stop, and ended from outside it costs the run nothing', async () => {
  const manager = await service();
  const told = (text: string | RegExp) =>
    socket.notices.some((notice) =>
      typeof text === 'string' ? notice.text === text : text.test(notice.text),
    );
  await until('a first notice', () => socket.notices.length > 0);
  expect(told('READY=1') && !manager.lines.some((line) => line['event'] === 'manager.ready')).toBe(
    false,
  );
  await manager.event('manager.ready');
  await until('READY=1', () => told('READY=1'));
  await until('the status', () => told(/^STATUS=.*waiting for runs$/));

  const taking = lab.takeRuns(['--seconds', '12', '--speed', '1', '--chunk-seconds', '2']);
  const { run } = await manager.event('attempt.started');
  await until('the run in the status', () => told(`STATUS=processing run ${String(run)}`));
  const pings = socket.of('WATCHDOG=1').length;
  await until('pings', () => socket.of('WATCHDOG=1').length > pings + 2);

  // What strax starts cannot speak for the service.
  const helper = socket.notices[0]!.pid;
  const others = descendants([manager.child.pid!]).filter(
    (pid) => pid !== helper && pid !== manager.child.pid,
  );
  expect(others.length).toBeGreaterThan(0);
  for (const pid of others) {
    const names = environmentOf(pid).map((entry) => entry.split('=')[0]);
    expect(names).toContain('PYTHONPATH');
    expect(names).not.toContain('NOTIFY_SOCKET');
    expect(names).not.toContain('WATCHDOG_USEC');
  }

  manager.child.kill('SIGSTOP');
  await delay(500); // What was under way arrives.
  const before = socket.notices.length;
  // The time that systemd waits for; nothing is to happen in it.
  await delay(WATCHDOG_SECONDS * 1000);
  expect(socket.notices).toHaveLength(before);
  // systemd's next step.
  await manager.kill('SIGKILL');
  const next = await service();
  const done = await lab.reached(run as number, ['done']);
  expect(done.bootstrax.n_failures ?? 0).toBe(0);
  await taking;
  next.child.kill('SIGTERM');
  expect(await next.exited).toBe(0);
  await until('the end to be told', () => told('STOPPING=1'));
});
