import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

import { NotStartedError, UnansweredError } from '../../../../src/attempt/worker/fork-server-answers.ts';
import { isAlive } from '../../../../src/infra/linux/process-identity.ts';
import { attempt, forkServer, ready, settled, until } from './support.ts';

describe('a warm server', () => {
  test('forks an attempt within tens of milliseconds and tells its end', async () => {
    const watched = forkServer();
    expect(await settled(watched)).toMatchObject({ kind: 'warm' });
    expect(watched.graphs[0]?.types.tiny_sum?.dependsOn).toEqual(['tiny_double']);
    const one = await attempt(watched.folder);
    const begin = performance.now();
    const forked = await watched.server.fork(one.plan.attempt, one.directory);
    await until('the first line', () => one.progress().length > 0);
    expect(performance.now() - begin).toBeLessThan(1000);
    expect(forked).toMatchObject({ warm: true, why: null });
    expect((await one.started()).guardian).toEqual(forked.guardian);
    expect(await one.exit()).toMatchObject({ code: 0, signal: null });
    expect(await one.result()).toMatchObject({ ok: true, error: null });
    await until('the hint', () => watched.ended.includes(one.plan.attempt));
    expect(isAlive(forked.guardian)).toBe(false);
  });

  test('requests wait until it is ready', async () => {
    const watched = forkServer();
    const attempts = await Promise.all([attempt(watched.folder), attempt(watched.folder)]);
    expect(watched.server.state.kind).toBe('starting');
    const forked = await Promise.all(
      attempts.map((one) => watched.server.fork(one.plan.attempt, one.directory)),
    );
    expect(forked.every(({ warm }) => warm)).toBe(true);
    for (const one of attempts) expect(await one.exit()).toMatchObject({ code: 0 });
  });

  test('refuses a plan that is none', async () => {
    const watched = forkServer();
    const one = await attempt(watched.folder);
    const asked = watched.server.fork('0'.repeat(24), one.directory);
    await expect(asked).rejects.toThrow(/belongs to attempt/);
    await expect(asked).rejects.toBeInstanceOf(NotStartedError);
  });

  test('is started again when it dies; the attempt goes on, later requests wait', async () => {
    const watched = forkServer();
    await settled(watched);
    const running = await attempt(watched.folder, { tiny_pause_seconds: 1 });
    const { guardian } = await watched.server.fork(running.plan.attempt, running.directory);
    process.kill(watched.server.pid ?? 0, 'SIGKILL');
    await until('the death to be noticed', () => watched.server.state.kind === 'starting');
    const next = await attempt(watched.folder);
    const forked = watched.server.fork(next.plan.attempt, next.directory);
    expect(isAlive(guardian)).toBe(true);
    expect((await forked).warm).toBe(true);
    expect(watched.notes.join()).toMatch(/SIGKILL/);
    expect(await running.exit()).toMatchObject({ code: 0 });
    expect(await next.exit()).toMatchObject({ code: 0 });
  });

  test('is started anew on request', async () => {
    const watched = forkServer();
    await settled(watched);
    const first = watched.server.pid;
    watched.server.restart();
    await until('another server', () => ![first, null].includes(watched.server.pid));
    expect(await settled(watched)).toMatchObject({ kind: 'warm' });
    expect(watched.notes).toEqual([]);
  });

  test('closing it rejects what waits and leaves the server to the next manager', async () => {
    const watched = forkServer();
    const one = await attempt(watched.folder);
    const waiting = watched.server.fork(one.plan.attempt, one.directory);
    const pid = await until('the server', () => watched.server.pid);
    watched.server.close();
    await expect(waiting).rejects.toBeInstanceOf(NotStartedError);
    await expect(watched.server.fork(one.plan.attempt, one.directory)).rejects.toThrow(/closed/);
    await ready(watched.folder);
    const next = forkServer({}, watched.folder);
    expect(await settled(next)).toMatchObject({ kind: 'warm', kept: true });
    expect(next.server.pid).toBe(pid);
  });

  test('a server that dies between request and answer leaves the question open', async () => {
    const watched = forkServer();
    await settled(watched);
    const one = await attempt(watched.folder);
    process.kill(watched.server.pid ?? 0, 'SIGSTOP');
    const asked = watched.server.fork(one.plan.attempt, one.directory);
    process.kill(watched.server.pid ?? 0, 'SIGKILL');
    await expect(asked).rejects.toBeInstanceOf(UnansweredError);
  });
});

describe('a server that cannot', () => {
  test('a context that does not build is a state with a reason', async () => {
    const watched = forkServer({ contextOptions: { broken: true } });
    const one = await attempt(watched.folder);
    const waiting = watched.server.fork(one.plan.attempt, one.directory);
    await expect(waiting).rejects.toThrow(/calibration file is missing/);
    expect(watched.server.state).toMatchObject({ kind: 'failed', retrySeconds: 30 });
    await expect(watched.server.fork(one.plan.attempt, one.directory)).rejects.toBeInstanceOf(
      NotStartedError,
    );
    watched.server.restart();
    expect(watched.server.state.kind).toBe('starting');
  });

  test('a Python that does not exist is one too', async () => {
    const watched = forkServer({ python: '/nowhere/python' });
    expect(await settled(watched)).toMatchObject({
      kind: 'failed',
      summary: expect.stringMatching(/\/nowhere\/python.*ENOENT/) as string,
    });
  });

  test('a Python without the worker is tried again, later each time', async () => {
    const watched = forkServer({ workerDirectory: '/nowhere' });
    await until('three deaths', () => failures(watched.states).length >= 3);
    expect(failures(watched.states).slice(0, 3)).toEqual([1, 2, 4]);
    expect(readFileSync(join(watched.folder, 'worker.log'), 'utf8')).toMatch(/No module named/);
  });

  test('with a thread in the parent attempts start cold, and it says so', async () => {
    const contextOptions = { lingering_thread: true };
    const watched = forkServer({ contextOptions });
    expect(await settled(watched)).toMatchObject({
      kind: 'cold',
      why: expect.stringContaining('lingerer') as string,
    });
    const one = await attempt(watched.folder, {}, { contextOptions });
    const forked = await watched.server.fork(one.plan.attempt, one.directory);
    expect(forked).toMatchObject({ warm: false, why: expect.stringContaining('lingerer') as string });
    expect(await one.exit()).toMatchObject({ code: 0 });
    expect((await one.started()).guardian).toEqual(forked.guardian);
  });
});

function failures(states: { kind: string; retrySeconds?: number }[]): (number | undefined)[] {
  return states.filter(({ kind }) => kind === 'failed').map(({ retrySeconds }) => retrySeconds);
}
