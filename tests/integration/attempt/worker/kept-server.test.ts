import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readlinkSync } from 'node:fs';
import { appendFile, chmod, mkdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

import { retireServers } from '../../../../src/attempt/worker/find-server.ts';
import type { ForkServerOptions } from '../../../../src/attempt/worker/fork-server-options.ts';
import { serversOnDisk } from '../../../../src/attempt/worker/servers-on-disk.ts';
import { nameOfProcess } from '../../../../src/infra/linux/process-identity.pure.ts';
import { isAlive } from '../../../../src/infra/linux/process-identity.ts';
import {
  attempt,
  forkServer,
  PACKAGE,
  ready,
  settled,
  temporaryFolder,
  until,
  type Watched,
} from './support.ts';

/** A site's module with one that it imports and a file that it reads, all free to be changed. */
async function site(folder: string): Promise<Partial<ForkServerOptions>> {
  const path = join(folder, 'site');
  await mkdir(path);
  await writeFile(join(path, 'gains.txt'), '1');
  await writeFile(join(path, 'site_gains.py'), 'GAINS = 1\n');
  await writeFile(
    join(path, 'site_context.py'),
    [
      'import os, site_gains, tiny_context',
      'HERE = os.path.dirname(__file__)',
      'def tiny(**options):',
      '    open(os.path.join(HERE, "gains.txt")).read()',
      '    return tiny_context.tiny(**options)',
      'def warm_up(context, directory):',
      '    tiny_context.warm_up(context, directory)',
      'def watched_files(context):',
      '    return [os.path.join(HERE, "maps"), os.path.join(HERE, "later.h5")]',
    ].join('\n'),
  );
  await mkdir(join(path, 'maps'));
  await writeFile(join(path, 'maps', 'one.h5'), 'a map');
  return {
    context: 'site_context:tiny',
    pythonPath: `${path}:${join(PACKAGE, 'worker', 'tests')}`,
  };
}

async function left(
  folder: string,
  changes: Partial<ForkServerOptions> = {},
): Promise<{ pid: number; watched: Watched }> {
  const watched = forkServer(changes, folder);
  expect(await settled(watched)).toMatchObject({ kind: 'warm', kept: false });
  const pid = watched.server.pid ?? 0;
  watched.server.close();
  return { pid, watched };
}

describe('the server that a manager has left', () => {
  test('is used by the next one at once: same process, same answers', async () => {
    const folder = temporaryFolder();
    const { pid, watched } = await left(folder);
    const next = forkServer({}, folder);
    expect(await settled(next)).toMatchObject({ kind: 'warm', kept: true });
    expect(next.server.pid).toBe(pid);
    expect(next.notes).toEqual([]);
    expect(next.graphs).toEqual(watched.graphs);
    expect(next.server.versions).toEqual(watched.server.versions);
    const one = await attempt(folder);
    expect(await next.server.fork(one.plan.attempt, one.directory)).toMatchObject({ warm: true });
    expect(await one.exit()).toMatchObject({ code: 0 });
    expect(serversOnDisk(join(folder, 'workers'))).toHaveLength(1);
  });

  test('tells the next one which attempts have ended meanwhile', async () => {
    const folder = temporaryFolder();
    const first = forkServer({}, folder);
    const one = await attempt(folder, { tiny_pause_seconds: 0.2 });
    await first.server.fork(one.plan.attempt, one.directory);
    first.server.close();
    await one.exit();
    const next = forkServer({}, folder);
    await until('the hint', () => next.ended.includes(one.plan.attempt));
  });

  test('starts an attempt once, whoever asks again: also another server answers for it', async () => {
    const folder = temporaryFolder();
    const first = forkServer({}, folder);
    const one = await attempt(folder, { tiny_pause_seconds: 1 });
    const { guardian } = await first.server.fork(one.plan.attempt, one.directory);
    first.server.close();
    const next = forkServer({}, folder);
    expect(await next.server.fork(one.plan.attempt, one.directory)).toMatchObject({ guardian });
    await one.started();
    process.kill(next.server.pid ?? 0, 'SIGKILL');
    await until('another server', () => next.notes.length > 0);
    expect(await next.server.fork(one.plan.attempt, one.directory)).toMatchObject({ guardian });
    expect(await one.exit()).toMatchObject({ code: 0 });
  });

  test('belongs to the younger of two managers', async () => {
    const folder = temporaryFolder();
    const elder = forkServer({}, folder);
    await settled(elder);
    const younger = forkServer({}, folder);
    expect(await settled(younger)).toMatchObject({ kind: 'warm', kept: true });
    await until('the elder to notice', () => elder.server.state.kind === 'failed');
    expect(elder.server.state).toMatchObject({
      summary: expect.stringContaining('another manager') as string,
    });
    elder.server.close();
    const one = await attempt(folder);
    expect(await younger.server.fork(one.plan.attempt, one.directory)).toMatchObject({ warm: true });
  });

  test('is found in a folder with a long path too', async () => {
    const deep = join(temporaryFolder(), 'x'.repeat(90), 'y'.repeat(90));
    mkdirSync(deep, { recursive: true });
    const { pid } = await left(deep);
    const next = forkServer({}, deep);
    expect(await settled(next)).toMatchObject({ kept: true });
    expect(next.server.pid).toBe(pid);
  });

  test('is left alone by the manager of a copy of its folder', async () => {
    const folder = temporaryFolder();
    const { pid } = await left(folder);
    const copy = temporaryFolder();
    execFileSync('cp', ['-a', join(folder, 'workers'), copy]);
    const other = forkServer({}, copy);
    expect(await settled(other)).toMatchObject({ kept: false });
    expect(serversOnDisk(join(copy, 'workers'))).toHaveLength(1);
    const next = forkServer({}, folder);
    expect(await settled(next)).toMatchObject({ kept: true });
    expect(next.server.pid).toBe(pid);
  });

  test('lets only its own user connect, through a socket that only he can open', async () => {
    const folder = temporaryFolder();
    await left(folder);
    const [server] = serversOnDisk(join(folder, 'workers'));
    const modes = execFileSync('stat', ['-c', '%a', server!.folder, join(server!.folder, 'socket')]);
    expect(modes.toString()).toBe('700\n600\n');
  });

  test('survives whoever connects and talks nonsense or says nothing', async () => {
    const folder = temporaryFolder();
    const { pid } = await left(folder);
    const [server] = serversOnDisk(join(folder, 'workers'));
    for (const text of ['nonsense\n{"type":"fork"}\n\n', 'x'.repeat(2_000_000), '']) {
      const socket = connect(join(server!.folder, 'socket'));
      socket.on('error', () => undefined);
      await new Promise((resolve) => socket.once('data', resolve));
      socket.write(text);
      socket.destroy();
    }
    const next = forkServer({}, folder);
    await settled(next);
    expect(next.server.pid).toBe(pid);
  });
});

describe('a server of which something has changed', () => {
  const changes: [string, RegExp, (folder: string) => Promise<unknown>][] = [
    ['the context', /site_context\.py has changed/, (at) => appendFile(join(at, 'site_context.py'), '\n')],
    ['a module that it imports', /site_gains\.py has changed/, (at) => appendFile(join(at, 'site_gains.py'), '\n')],
    ['a file that it has read', /gains\.txt has changed/, (at) => writeFile(join(at, 'gains.txt'), '2')],
    ['a file in a folder that it names', /one\.h5 has changed/, (at) => writeFile(join(at, 'maps', 'one.h5'), 'another map')],
    ['a file that it names and that was not there', /later\.h5 is there now/, (at) => writeFile(join(at, 'later.h5'), '')],
  ];
  test.each(changes)('is not used any more: %s', async (_what, told, change) => {
    const folder = temporaryFolder();
    const options = await site(folder);
    const { pid } = await left(folder, options);
    await change(join(folder, 'site'));
    const next = forkServer(options, folder);
    expect(await settled(next)).toMatchObject({ kind: 'warm', kept: false });
    expect(next.server.pid).not.toBe(pid);
    expect(next.notes.join()).toMatch(told);
    await until('the old one to end', () => !existsSync(`/proc/${pid}/exe`));
  });

  test('another setting, variable or interpreter likewise', async () => {
    const folder = temporaryFolder();
    await left(folder);
    const python = join(PACKAGE, '.venv/bin/python3');
    const others: [Partial<ForkServerOptions>, RegExp][] = [
      [{ contextOptions: { broken: false } }, /the options of the context/],
      [{ warmUp: false }, /the setting for the warm-up/],
      [{ environment: { ...process.env, CALIBRATION: 'v2' } }, /the variable CALIBRATION/],
      [{ orphanLimitSeconds: 800 }, /the orphan limit/],
      [{ python }, /the Python interpreter/],
    ];
    for (const [changed, told] of others) {
      const next = forkServer(changed, folder);
      await settled(next);
      expect(next.notes.join()).toMatch(told);
      next.server.close();
    }
  });

  test('ends only once its attempts have ended, beside the new one, and takes no other', async () => {
    const folder = temporaryFolder();
    const options = await site(folder);
    const first = forkServer(options, folder);
    await settled(first);
    const pid = first.server.pid ?? 0;
    const one = await attempt(folder, { tiny_fault: 'hang' }, { context: 'site_context:tiny' });
    const { guardian, warm } = await first.server.fork(one.plan.attempt, one.directory);
    expect(warm).toBe(true);
    first.server.close();
    await appendFile(join(folder, 'site', 'site_gains.py'), '\n');
    const next = forkServer(options, folder);
    await settled(next);
    expect(next.server.pid).not.toBe(pid);
    const old = serversOnDisk(join(folder, 'workers')).find(({ identity }) => identity.pid === pid);
    expect(old?.state).toBe('retired');
    // Nor does a manager after that one take it for its own.
    next.server.close();
    const third = forkServer(options, folder);
    expect(await settled(third)).toMatchObject({ kept: true });
    expect(third.server.pid).toBe(next.server.pid ?? third.server.pid);
    process.kill(guardian.pid, 'SIGTERM');
    await one.exit();
    await until('the old one to end', () => old !== undefined && !isAlive(old.identity));
    expect(existsSync(old!.folder)).toBe(false);
  });
});

describe('a server without a manager', () => {
  test('ends after the orphan limit, and not while an attempt runs', async () => {
    const folder = temporaryFolder();
    const watched = forkServer({ orphanLimitSeconds: 0.5 }, folder);
    const one = await attempt(folder, { tiny_fault: 'hang' });
    const { guardian } = await watched.server.fork(one.plan.attempt, one.directory);
    const pid = watched.server.pid ?? 0;
    watched.server.close();
    // Longer than the limit and the server's looks: it is the attempt that keeps it.
    await new Promise((resolve) => setTimeout(resolve, 3000));
    expect(existsSync(`/proc/${pid}/exe`)).toBe(true);
    process.kill(guardian.pid, 'SIGTERM');
    await one.exit();
    await until('the server to end', () => !existsSync(`/proc/${pid}/exe`));
    expect(readdirSync(join(folder, 'workers'))).toEqual([]);
  });

  test('ends when its folder is removed, or when it is told that no manager comes', async () => {
    const folder = temporaryFolder();
    const one = await left(folder);
    await chmod(join(folder, 'workers'), 0o755);
    execFileSync('rm', ['-r', join(folder, 'workers')]);
    await until('its end', () => !existsSync(`/proc/${one.pid}/exe`));
    const other = await left(folder);
    expect(await retireServers(join(folder, 'workers'))).toBe(1);
    await until('its end', () => !existsSync(`/proc/${other.pid}/exe`));
  });

  test('is killed when it stands still, and a new one is started', async () => {
    const folder = temporaryFolder();
    const { pid } = await left(folder);
    process.kill(pid, 'SIGSTOP');
    const next = forkServer({}, folder);
    expect(await settled(next)).toMatchObject({ kind: 'warm', kept: false });
    expect(next.notes.join()).toContain(`(pid ${pid}) did not answer: killed`);
    expect(existsSync(`/proc/${pid}/exe`)).toBe(false);
  });

  test('that was killed, or whose machine was, leaves a folder that the next one removes', async () => {
    const folder = temporaryFolder();
    const { pid } = await left(folder);
    const workers = join(folder, 'workers');
    const [old] = serversOnDisk(workers);
    process.kill(pid, 'SIGKILL');
    await until('its end', () => !isAlive(old!.identity));
    const otherBoot = nameOfProcess({ ...old!.identity, pid: process.pid, bootId: '0-0' });
    mkdirSync(join(workers, otherBoot));
    await writeFile(join(workers, otherBoot, 'socket'), '');
    const next = forkServer({}, folder);
    expect(await settled(next)).toMatchObject({ kept: false });
    expect(readdirSync(workers)).toHaveLength(1);
  });

  test('that never became ready is not waited for', async () => {
    const folder = temporaryFolder();
    const first = forkServer({ contextOptions: { hanging_warm_up: true } }, folder);
    const pid = await until('the server', () => serversOnDisk(join(folder, 'workers'))[0]?.identity.pid);
    first.server.close();
    const next = forkServer({}, folder);
    expect(await settled(next)).toMatchObject({ kind: 'warm', kept: false });
    expect(existsSync(`/proc/${pid}/exe`)).toBe(false);
  });

  test('that finds no disk for its folder serves its manager, and ends with it', async () => {
    const folder = temporaryFolder();
    await writeFile(join(folder, 'file'), '');
    const watched = forkServer({ serversDirectory: join(folder, 'file', 'workers') }, folder);
    expect(await settled(watched)).toMatchObject({ kind: 'warm' });
    const one = await attempt(folder);
    expect(await watched.server.fork(one.plan.attempt, one.directory)).toMatchObject({ warm: true });
    await one.exit();
    const pid = watched.server.pid ?? 0;
    watched.server.close();
    await until('its end', () => !existsSync(`/proc/${pid}/exe`));
  });
});

/** What a process has open; a file that it closes meanwhile is left out. */
function openFiles(pid: number): string[] {
  return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/${pid}/fd/${fd}`)];
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
  });
}

test('guardian and child keep nothing of the server open, forked or started cold', async () => {
  for (const contextOptions of [{}, { lingering_thread: true }]) {
    const folder = temporaryFolder();
    const watched = forkServer({ contextOptions }, folder);
    await settled(watched);
    await ready(folder);
    const one = await attempt(folder, { tiny_fault: 'hang' }, { contextOptions });
    const { guardian } = await watched.server.fork(one.plan.attempt, one.directory);
    const { child } = await one.started();
    await until('a chunk', () => one.progress().some(({ chunks }) => chunks > 0));
    const [own] = serversOnDisk(join(folder, 'workers'));
    const ofServer = openFiles(own!.identity.pid).filter((to) => to.startsWith('socket:'));
    expect(ofServer.length).toBeGreaterThan(1);
    for (const { pid } of [guardian, child]) {
      const kept = openFiles(pid).filter((to) => ofServer.includes(to) || to.startsWith(`${folder}/workers`));
      expect(kept).toEqual([]);
    }
    process.kill(guardian.pid, 'SIGTERM');
    await one.exit();
  }
});
