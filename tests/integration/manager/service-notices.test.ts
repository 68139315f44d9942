import { once } from 'node:events';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';

import { identityOf } from '../../../src/infra/linux/process-identity.ts';
import { NotifySocket } from '../../support/notify-socket.ts';
import { bundled, start, temporaryFolder, until } from '../infra/linux/support.ts';

const WATCHDOG_SECONDS = 1.5;
/** Says ready after "ready" on standard input, and hangs after "hang". */
const SERVICE = `
import { createInterface } from 'node:readline';
import { startServiceNotices } from './src/manager/service-notices.ts';
import { systemClock } from './src/infra/clock/clock.ts';
import { TaskGroup } from './src/infra/concurrency/task-group.ts';
const view = { ready: false, status: 'starting' };
const notices = startServiceNotices({
  clock: systemClock,
  tasks: new TaskGroup(systemClock),
  environment: process.env,
  python: 'python3',
  notifier: ${JSON.stringify(resolve('worker/bootstrax_worker/notifier.py'))},
  view: () => view,
  onProblem: (problem) => console.log(problem),
});
console.log('left: ' + ['NOTIFY_SOCKET', 'WATCHDOG_USEC'].filter((name) => name in process.env));
createInterface({ input: process.stdin }).on('line', (line) => {
  if (line === 'ready') Object.assign(view, { ready: true, status: 'waiting for\\nruns' });
  if (line === 'hang') for (;;);
  if (line === 'end') { notices.stop(); process.stdin.destroy(); }
});
`;

async function service(environment: Record<string, string> = {}) {
  const folder = temporaryFolder();
  const socket = await NotifySocket.listen(folder);
  onTestFinished(() => socket.close());
  const program = start(process.execPath, [await bundled(folder, SERVICE)], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: {
      ...process.env,
      NOTIFY_SOCKET: socket.path,
      WATCHDOG_USEC: String(WATCHDOG_SECONDS * 1e6),
      ...environment,
    },
  });
  const said: string[] = [];
  createInterface({ input: program.stdout! }).on('line', (line) => said.push(line));
  return { socket, program, said, tell: (line: string) => program.stdin!.write(`${line}\n`) };
}

const silence = async (socket: NotifySocket) => {
  const before = socket.notices.length;
  // No condition to wait for: nothing is to happen for the whole of the time that systemd waits.
  await delay(WATCHDOG_SECONDS * 1000);
  return socket.notices.length === before;
};

test('ready once it is, then pings well within the interval, all from one helper that stays', async () => {
  const { socket, tell, said } = await service();
  await until('more time is asked for', () => socket.of('EXTEND_TIMEOUT_USEC=30000000').length > 1);
  expect(socket.of('READY=1')).toEqual([]);
  expect(socket.of('STATUS=starting')).toHaveLength(1);
  tell('ready');
  await until('ready', () => socket.of('READY=1').length > 0);
  await until('status', () => socket.of('STATUS=waiting for runs').length === 1);
  const count = socket.of('WATCHDOG=1').length;
  await until('pings', () => socket.of('WATCHDOG=1').length > count + 5);
  const times = socket.of('WATCHDOG=1').map(({ at }) => at);
  const gaps = times.slice(1).map((at, i) => at - times[i]!);
  expect(Math.max(...gaps)).toBeLessThan(WATCHDOG_SECONDS * 1000);
  expect(new Set(socket.notices.map(({ pid }) => pid)).size).toBe(1);
  expect(identityOf(socket.notices[0]!.pid)).not.toBeNull();
  // Children are not to speak for the service.
  expect(said).toContain('left: ');
});

test('a process that is stopped, or whose event loop hangs, pings no more', async () => {
  const { socket, program, tell } = await service();
  tell('ready');
  await until('pings', () => socket.of('WATCHDOG=1').length > 1);
  program.kill('SIGSTOP');
  await delay(200); // What was under way arrives.
  expect(await silence(socket)).toBe(true);
  const before = socket.of('WATCHDOG=1').length;
  program.kill('SIGCONT');
  await until('pings again', () => socket.of('WATCHDOG=1').length > before);
  tell('hang');
  await delay(WATCHDOG_SECONDS * 500);
  expect(await silence(socket)).toBe(true);
});

test('a helper that dies is replaced, and ready is said again', async () => {
  const { socket, tell, said } = await service();
  tell('ready');
  await until('ready', () => socket.of('READY=1').length > 0);
  const [first] = socket.notices;
  process.kill(first!.pid, 'SIGKILL');
  await until('another helper', () => socket.of('READY=1').some(({ pid }) => pid !== first!.pid));
  expect(said.some((line) => line.includes('notifier.py ended (SIGKILL)'))).toBe(true);
});

test('the helper ends with its process, however that ends', async () => {
  for (const how of ['kill', 'end']) {
    const { socket, program, tell, said } = await service();
    await until('a notice', () => socket.notices.length > 0);
    const helper = socket.notices[0]!.pid;
    if (how === 'kill') program.kill('SIGKILL');
    else tell('end');
    await once(program, 'exit');
    await until('the helper to end', () => identityOf(helper) === null);
    expect(socket.of('STOPPING=1')).toHaveLength(how === 'kill' ? 0 : 1);
    expect(said.some((line) => line.includes('notifier.py'))).toBe(false);
  }
});

test('a watchdog that is meant for another process is not fed', async () => {
  const { socket, tell } = await service({ WATCHDOG_PID: '1' });
  tell('ready');
  await until('ready', () => socket.of('READY=1').length > 0);
  expect(socket.of('WATCHDOG=1')).toEqual([]);
});
