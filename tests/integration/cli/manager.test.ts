import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { Lab, PACKAGE, until } from '../../support/lab.ts';
import { smallMachine } from '../../support/small-machine.ts';
import { lastJson } from './bundle.ts';

const HOST = 'alpha.test.local';
const TARGETS = { BOOTSTRAX_TARGETS: 'peak_basics', BOOTSTRAX_POST_PROCESSING: 'raw_records' };
/** A plugin takes its time, so that there is something to look at; it would do so warming up as well. */
const SLOW = smallMachine({
  worker: { warmUp: false, contextOptions: { sleep_seconds: { peaklets: 60 } } },
});

let lab: Lab;
beforeAll(async () => {
  lab = await Lab.start();
});
afterAll(async () => {
  await lab.end();
});

async function json(...args: string[]): Promise<{ code: number; said: Record<string, unknown> }> {
  const { code, stdout, stderr } = await lab.command([...args, '--json'], { env: TARGETS });
  if (stdout === '') throw new Error(`nothing said (${code}): ${stderr}`);
  return { code, said: lastJson(stdout) };
}

it('simulate-daq takes runs of this configuration', async () => {
  const { code, stdout } = await lab.command([
    'simulate-daq',
    ...['--seconds', '5', '--speed', '0', '--runs', '1', '--json'],
  ]);
  const events = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { event: string; run: number });
  expect(events.at(-1)).toMatchObject({ event: 'taken', run: 1 });
  expect(await lab.run(1)).toMatchObject({ mode: 'tpc_bkg', bootstrax: { state: null } });
  expect(code).toBe(0);
});

it('process --now does one run in the foreground and ends', async () => {
  const { code, stdout } = await lab.command(['process', '1', '--now'], { env: TARGETS });
  expect((await lab.run(1)).bootstrax, stdout).toMatchObject({ state: 'done', host: HOST });
  expect(code).toBe(0);
  const logs = await json('logs', '1');
  expect(logs.said).toMatchObject({ run: 1, exit: { code: 0 }, result: { ok: true } });
});

it('a busy run shows its progress, and is stopped with the children, which counts as no failure', async () => {
  const [run = 0] = await lab.takeRuns(['--seconds', '5', '--speed', '0']);
  const manager = await lab.manager({ config: SLOW, env: TARGETS });
  await lab.reached(run, ['busy']);
  const status = await until('progress in status', async () => {
    const { said } = await json('status');
    const [first] = said['runs'] as { progress: { phase: string } | null }[];
    return first?.progress ? said : null;
  });
  expect(status).toMatchObject({
    hosts: [{ host: HOST, state: 'busy', runs: [run] }],
    queue: { busy: 1 },
    runs: [{ run, state: 'busy', host: HOST, targets: ['peak_basics'] }],
  });
  expect((await json('explain', String(run))).said).toMatchObject({ verdict: 'running' });
  const { code, stderr } = await lab.command(['process', String(run), '--now']);
  expect(stderr).toMatch(/a manager runs for alpha\.test\.local/);
  expect(code).toBe(1);

  await json('hold', String(run));
  const stopped = await json('stop', '--children');
  expect(stopped).toMatchObject({ code: 0, said: { ok: true, stopped: [run] } });
  const result = await until('the end of the attempt', async () => {
    const attempt = await lab.attempts.findOne({ run });
    return attempt?.result;
  });
  expect(result).toMatchObject({ outcome: 'requeued', counted: false });
  expect((await lab.run(run)).bootstrax.n_failures ?? 0).toBe(0);
  await manager.kill('SIGTERM');
  expect((await json('status')).said).toMatchObject({ runs: [] });
});

it('children that outlive their manager are ended by stop --children all the same', async () => {
  const [run = 0] = await lab.takeRuns(['--seconds', '5', '--speed', '0']);
  const manager = await lab.manager({ config: SLOW, env: TARGETS });
  await lab.reached(run, ['busy']);
  await until('the attempt to have started', async () =>
    (await json('logs', String(run)).catch(() => null)) === null ? null : true,
  );
  await manager.event('attempt.started', { run });
  await manager.kill('SIGKILL');
  const { said } = await json('stop', '--children');
  expect(said).toMatchObject({ ok: true, stopped: [run] });
  expect((await json('stop', '--children')).said).toMatchObject({ stopped: [] });
});

it('logs --follow ends with the attempt', async () => {
  const [run = 0] = await lab.takeRuns(['--seconds', '5', '--speed', '0']);
  const manager = await lab.manager({ env: TARGETS });
  await manager.event('attempt.started', { run });
  const { code } = await lab.command(['logs', String(run), '--follow']);
  expect(code).toBe(0);
  await lab.reached(run, ['done']);
  await manager.kill('SIGTERM');
});

it('the demo takes its runs, waits for them, and leaves nothing running', async () => {
  const state = join(lab.root, 'demo');
  const child = spawn(
    process.execPath,
    [
      ...[join(PACKAGE, 'bin/bootstrax'), 'demo', '--runs', '2', '--seconds', '5', '--speed', '5'],
      ...['--exit', '--json', '--detectors', 'tpc', '--targets', 'peak_basics'],
      ...['--context', 'bootstrax_worker.contexts.small:small', '--state-dir', state],
      ...['--live-data', join(state, 'live'), '--output', join(state, 'out')],
    ],
    // A database in the environment is not the demo's.
    { env: { ...lab.env(), BOOTSTRAX_MONGO_URL: 'mongodb://127.0.0.1:1' }, stdio: 'pipe' },
  );
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (piece: Buffer) => (stdout += piece.toString()));
  child.stderr.on('data', (piece: Buffer) => (stderr += piece.toString()));
  const [code] = (await once(child, 'close')) as [number];
  expect(code, stdout + stderr).toBe(0);
  const { ok, runs } = lastJson(stdout) as { ok: boolean; runs: { state: string }[] };
  expect(ok).toBe(true);
  expect(runs.map(({ state: reached }) => reached)).toEqual(['done', 'done']);
  const server = await lab.command(['db', 'status', '--state-dir', state, '--json']);
  expect(lastJson(server.stdout)).toMatchObject({ running: false });
});
