import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, onTestFinished, test } from 'vitest';

import {
  acquireMachineLock,
  askManager,
  type LockOptions,
  type MachineKey,
  machineKey,
} from '../../../src/exclusion/manager-lock.ts';
import { isAlive, selfIdentity } from '../../../src/infra/linux/process-identity.ts';
import { ownerOfAbstractSocket } from '../../../src/infra/linux/socket-owner.ts';
import { bundled, saidByNobody, start, temporaryFolder, until } from '../infra/linux/support.ts';

/** A key that no other test, and no manager of this machine, has. */
function freshKey(): MachineKey {
  const stateDir = temporaryFolder();
  const runsUrl = `mongodb://test-${process.pid}-${Math.random().toString(36).slice(2)}`;
  return machineKey({ host: 'eb0.example.org', runsUrl, runsDatabase: 'xenonnt', stateDir });
}

async function acquire(key: MachineKey, options: Partial<LockOptions> = {}) {
  const lock = await acquireMachineLock(key, {
    onControl: () => Promise.resolve({ ok: true, message: 'well' }),
    onEnd: () => undefined,
    ...options,
  });
  onTestFinished(() => lock.release());
  return lock;
}

/** Another process that holds the lock; `obeys`: it ends when asked. */
async function otherManager(key: MachineKey, obeys: boolean): Promise<ChildProcess> {
  const program = await bundled(
    temporaryFolder(),
    `import { acquireMachineLock } from './src/exclusion/manager-lock.ts';
     const lock = await acquireMachineLock(${JSON.stringify(key)}, {
       onControl: (request) => Promise.resolve({ ok: true, message: JSON.stringify(request) }),
       onEnd: () => { if (${obeys}) process.exit(0); },
     });
     console.log(JSON.stringify(lock.replaced));`,
  );
  const manager = start('node', [program]);
  await once(createInterface({ input: manager.stdout! }), 'line');
  return manager;
}

test('a free lock is had at once, and is free again when released', async () => {
  const key = freshKey();
  const lock = await acquire(key);
  expect(lock.replaced).toBeNull();
  expect(ownerOfAbstractSocket(key.socketName)).toEqual(selfIdentity());
  await lock.release();
  expect(ownerOfAbstractSocket(key.socketName)).toBeNull();
});

test('the holder is asked to end, ends, and the lock is had', async () => {
  const key = freshKey();
  const other = await otherManager(key, true);
  const begin = performance.now();
  const lock = await acquire(key);
  expect(lock.replaced).toMatchObject({ how: 'ended', holder: { pid: other.pid } });
  expect(performance.now() - begin).toBeLessThan(1500);
  expect(ownerOfAbstractSocket(key.socketName)).toEqual(selfIdentity());
});

test('a holder that does not end is killed after the grace', async () => {
  const key = freshKey();
  const other = await otherManager(key, false);
  const holder = ownerOfAbstractSocket(key.socketName)!;
  expect(holder.pid).toBe(other.pid);
  const begin = performance.now();
  const lock = await acquire(key, { graceSeconds: 1 });
  expect(performance.now() - begin).toBeGreaterThan(1000);
  expect(lock.replaced).toEqual({ how: 'killed', holder });
  expect(isAlive(holder)).toBe(false);
});

test('a stopped holder, which answers nothing, is killed', async () => {
  const key = freshKey();
  const other = await otherManager(key, true);
  other.kill('SIGSTOP');
  const lock = await acquire(key, { graceSeconds: 0.5 });
  expect(lock.replaced).toMatchObject({ how: 'killed', holder: { pid: other.pid } });
});

test('the lock is free at once after kill -9', async () => {
  const key = freshKey();
  const other = await otherManager(key, true);
  other.kill('SIGKILL');
  await once(other, 'exit');
  expect((await acquire(key)).replaced).toBeNull();
});

test('several that start at once end one another until one is left', async () => {
  const key = freshKey();
  const locks = Promise.all([otherManager(key, true), otherManager(key, true)]);
  // The one that was ended never says that it has the lock.
  await Promise.race([locks, until('somebody holds it', () => holds(key))]);
  const mine = await acquire(key);
  expect(ownerOfAbstractSocket(key.socketName)).toEqual(selfIdentity());
  await mine.release();
});

function holds(key: MachineKey): boolean {
  return ownerOfAbstractSocket(key.socketName) !== null;
}

test('another key is nobody else’s business', async () => {
  const held = await otherManager(freshKey(), true);
  expect((await acquire(freshKey())).replaced).toBeNull();
  expect(held.exitCode).toBeNull();
});

test('requests reach the manager and its answers come back', async () => {
  const key = freshKey();
  expect(await askManager(key, { type: 'status' }, 1)).toBe('no manager');
  await acquire(key, {
    onControl: (request) => {
      if (request.type === 'stop_children') throw new Error('none to stop');
      return Promise.resolve({ ok: true, message: 'taken', request });
    },
  });
  expect(await askManager(key, { type: 'process', run: 51230 }, 1)).toEqual({
    ok: true,
    message: 'taken',
    request: { type: 'process', run: 51230 },
  });
  expect(await askManager(key, { type: 'stop_children' }, 1)).toEqual({
    ok: false,
    message: 'none to stop',
  });
});

test('a manager that does not answer is named', async () => {
  const key = freshKey();
  await acquire(key, { onControl: () => new Promise(() => undefined) });
  await expect(askManager(key, { type: 'status' }, 0.1)).rejects.toThrow(
    `cannot reach the manager of eb0.example.org (pid ${process.pid}): no answer within 0.1 s`,
  );
});

test('who does not know the secret is refused, and the secret is the user’s alone', async () => {
  const key = freshKey();
  let ended = 0;
  await acquire(key, { onEnd: () => (ended += 1) });
  expect(statSync(key.tokenFile).mode & 0o777).toBe(0o600);
  const stranger = { ...key, tokenFile: join(temporaryFolder(), 'none') };
  expect(await askManager(stranger, { type: 'stop_children' }, 1)).toMatchObject({
    ok: false,
    message: expect.stringContaining('refused') as string,
  });
  for (const line of ['{"token":"","request":{"type":"end"}}\n', 'nonsense\n', '\n', '[]\n']) {
    const socket = connect({ path: `\0${key.socketName}` });
    socket.write(line);
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(JSON.parse(answer.toString())).toMatchObject({ ok: false });
    socket.destroy();
  }
  expect(ended).toBe(0);
});

test('an endless line and a client that leaves harm nobody', async () => {
  const key = freshKey();
  await acquire(key);
  const talker = connect({ path: `\0${key.socketName}` });
  talker.on('error', () => undefined);
  talker.write(Buffer.alloc(100_000, 'x'));
  await once(talker, 'close');
  connect({ path: `\0${key.socketName}` }).destroy();
  expect(await askManager(key, { type: 'status' }, 1)).toMatchObject({ ok: true });
});

test('an empty secret, as after a power cut, is made anew; a kept one is used again', async () => {
  const key = freshKey();
  writeFileSync(key.tokenFile, '');
  const lock = await acquire(key);
  const secret = readFileSync(key.tokenFile, 'utf8');
  expect(secret).toMatch(/^[0-9a-f]{48}$/);
  await lock.release();
  await acquire(key);
  expect(readFileSync(key.tokenFile, 'utf8')).toBe(secret);
});

test('an unreadable secret is said to be so', async () => {
  const key = freshKey();
  await acquire(key);
  chmodSync(key.tokenFile, 0);
  const said = await saidByNobody(
    `import { askManager } from './src/exclusion/manager-lock.ts';
     await askManager(${JSON.stringify(key)}, { type: 'status' }, 1).catch(({ message }) => console.log(message));`,
    dirname(key.tokenFile),
  );
  expect(said).toContain('EACCES');
  rmSync(key.tokenFile);
});
