import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { expect, test } from 'vitest';

import { LocalExecutor } from '../../../../src/executors/local/local-executor.ts';
import { isAlive } from '../../../../src/infra/linux/process-identity.ts';
import {
  attempt,
  forkServer,
  settled,
  temporaryFolder,
  tinyOptions,
  until,
} from '../../attempt/worker/support.ts';

test('an attempt is started, and readiness follows the worker', async () => {
  const watched = forkServer();
  const executor = new LocalExecutor({ server: watched.server, slots: 1 });
  expect(executor.ready()).toEqual({ ok: true });
  expect(executor.describe()).toBe('warming up');
  await settled(watched);
  expect(executor.describe()).toMatch(/^warm after [\d.]+ s$/);
  const one = await attempt(watched.folder);
  const start = await executor.start(one.plan, one.directory);
  expect(start).toMatchObject({ kind: 'started', warm: true });
  expect(await one.exit()).toMatchObject({ code: 0 });
});

test('a host whose context does not build is not ready, and says why', async () => {
  const watched = forkServer({ contextOptions: { broken: true } });
  const executor = new LocalExecutor({ server: watched.server, slots: 1 });
  await settled(watched);
  expect(executor.ready()).toMatchObject({
    ok: false,
    reason: expect.stringContaining('calibration file is missing') as string,
  });
});

test('a TERM to the guardian ends the attempt', async () => {
  const watched = forkServer();
  const executor = new LocalExecutor({ server: watched.server, slots: 1 });
  const one = await attempt(watched.folder, { tiny_fault: 'hang' });
  await executor.start(one.plan, one.directory);
  const { guardian } = await one.started();
  await until('a chunk', () => one.progress().some(({ chunks }) => chunks > 0));
  process.kill(guardian.pid, 'SIGTERM');
  expect(await one.exit()).toMatchObject({ code: null, signal: 15, orphaned: false });
  await until('the guardian to end', () => !isAlive(guardian));
});

test('when the server dies before it answers, no attempt is left that nobody knows of', async () => {
  const watched = forkServer();
  const executor = new LocalExecutor({ server: watched.server, slots: 1 });
  await settled(watched);
  const one = await attempt(watched.folder);
  process.kill(watched.server.pid ?? 0, 'SIGSTOP');
  const start = executor.start(one.plan, one.directory);
  process.kill(watched.server.pid ?? 0, 'SIGKILL');
  expect(await start).toEqual({
    kind: 'refused',
    reason: expect.stringMatching(/ended unexpectedly \(SIGKILL\)/) as string,
  });
  expect(existsSync(join(one.directory, 'superseded'))).toBe(true);
});

test('guardian, child and server outlive a manager that is killed, and the next one uses the server', async () => {
  const folder = temporaryFolder();
  const one = await attempt(folder, { tiny_pause_seconds: 1 });
  const report = join(folder, 'report.json');
  const program = join(folder, 'manager-stand-in.mjs');
  await build({
    entryPoints: [join(import.meta.dirname, 'manager-stand-in.ts')],
    outfile: program,
    bundle: true,
    platform: 'node',
    format: 'esm',
  });
  const { plan, directory } = one;
  const task = JSON.stringify({ options: tinyOptions(folder), plan, directory, report });
  const manager = spawn(process.execPath, [program, task], { stdio: 'inherit' });
  const { server } = await until('the start', () =>
    existsSync(report) ? (JSON.parse(readFileSync(report, 'utf8')) as { server: number }) : null,
  );
  const { guardian, child } = await one.started();
  manager.kill('SIGKILL');
  const next = forkServer({}, folder);
  expect(await settled(next)).toMatchObject({ kind: 'warm', kept: true });
  expect(next.server.pid).toBe(server);
  expect(isAlive(guardian) && isAlive(child)).toBe(true);
  expect(await one.exit()).toMatchObject({ code: 0 });
  expect(await one.result()).toMatchObject({ ok: true });
  await until('the hint', () => next.ended.includes(plan.attempt));
});
