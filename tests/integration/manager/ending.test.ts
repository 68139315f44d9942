import { existsSync, readdirSync } from 'node:fs';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { startEmbedded, stopEmbedded } from '../../../src/infra/mongo/embedded/embedded-server.ts';
import { Lab, PYTHON, until } from '../../support/lab.ts';
import { lacking, SERVER_IS_GIVEN } from '../../support/lacking.ts';

let lab: Lab;
beforeAll(async () => {
  lab = await Lab.start();
});
afterAll(() => lab.end());

test('Ctrl-C ends the manager only, and it says which run goes on and how to stop it', async () => {
  const manager = await lab.manager();
  await manager.event('manager.ready');
  const taking = lab.takeRuns(['--seconds', '10', '--speed', '1', '--chunk-seconds', '2']);
  const started = await manager.event('attempt.started');
  manager.child.kill('SIGINT');
  expect(await manager.exited).toBe(0);
  const line = await manager.event('manager.children_go_on');
  expect(line['runs']).toEqual([started['run']]);
  expect(line['msg']).toContain('bootstrax stop --children');
  await taking;
  // The child ends without a manager; the next one writes its outcome.
  const directory = join(lab.stateDir('alpha.test.local'), 'attempts', String(started['attempt']));
  const { readFile } = await import('node:fs/promises');
  await until('the child to end', () =>
    readFile(join(directory, 'exit.json'), 'utf8').catch(() => null),
  );
  const next = await lab.manager();
  const run = await lab.reached(started['run'] as number, ['done']);
  expect(run.bootstrax.n_failures ?? 0).toBe(0);
  await next.kill();
});

test('stop --children ends the child and gives the run back, not counted', async () => {
  const manager = await lab.manager();
  await manager.event('manager.ready');
  const taking = lab.takeRuns(['--seconds', '10', '--speed', '1', '--chunk-seconds', '2']);
  const started = await manager.event('attempt.started');
  const number = started['run'] as number;
  const { code } = await lab.command(['stop', '--children', '--json']);
  expect(code).toBe(0);
  const ended = await manager.event('attempt.ended', { run: number });
  expect(ended['outcome']).toBe('requeued');
  await taking;
  const run = await lab.reached(number, ['done']);
  expect(run.bootstrax.n_failures ?? 0).toBe(0);
  await manager.kill();
});

test('a run that is failed by an operator while it is busy: its child ends, its folders go', async () => {
  const manager = await lab.manager();
  await manager.event('manager.ready');
  const taking = lab.takeRuns(['--seconds', '10', '--speed', '1', '--chunk-seconds', '2']);
  const started = await manager.event('attempt.started');
  const number = started['run'] as number;
  const { code, stderr } = await lab.command(['abandon', String(number), 'not', 'wanted']);
  expect(code, stderr).toBe(0);
  await manager.event('attempt.superseded', { run: number });
  const run = await lab.run(number);
  expect(run.bootstrax.state).toBe('abandoned');
  expect(run.data.map(({ type }) => type)).toEqual(['live']);
  await taking;
  expect((await lab.run(number)).bootstrax.state).toBe('abandoned');
  await manager.kill();
});

test('a busy run that a person calls done: its child ends, nothing is listed, and what it had begun goes', async () => {
  const manager = await lab.manager();
  await manager.event('manager.ready');
  const taking = lab.takeRuns(['--seconds', '10', '--speed', '1', '--chunk-seconds', '2']);
  const started = await manager.event('attempt.started');
  const number = started['run'] as number;
  const place = lab.placeOf(String(started['attempt']));
  await until('a folder to be begun', () => existsSync(place) && readdirSync(place).length > 0);
  await lab.runs.updateOne({ number }, { $set: { 'bootstrax.state': 'done' } });
  await manager.event('attempt.superseded', { run: number });
  const run = await lab.run(number);
  expect(run.bootstrax.state).toBe('done');
  expect(run.data.map(({ type }) => type)).toEqual(['live']);
  expect(existsSync(place)).toBe(false);
  await taking;
  await manager.kill();
});

test('a busy run that is tagged to be abandoned: its child ends, the run is abandoned', async () => {
  const manager = await lab.manager();
  await manager.event('manager.ready');
  const taking = lab.takeRuns(['--seconds', '10', '--speed', '1', '--chunk-seconds', '2']);
  const started = await manager.event('attempt.started');
  const number = started['run'] as number;
  const tag = { name: 'abandon', user: 'shifter', date: new Date() };
  await lab.runs.updateOne({ number }, { $set: { tags: [tag] } });
  const ended = await manager.event('attempt.ended', { run: number });
  expect(ended['outcome']).toBe('abandoned');
  const run = await lab.run(number);
  expect(run.bootstrax.state).toBe('abandoned');
  expect(run.bootstrax.n_failures ?? 0).toBe(0);
  expect(run.data.map(({ type }) => type)).toEqual(['live']);
  await taking;
  await manager.kill();
});

test.skipIf(lacking(SERVER_IS_GIVEN))(
  'a database that is away at the start is waited for, and this is said (needs a server to stop)',
  async () => {
    const stateDir = join(lab.root, 'database');
    await stopEmbedded(stateDir);
    const manager = await lab.manager();
    const line = await manager.event('database.waiting');
    expect(String(line['msg'])).toContain('waiting for the database');
    expect(manager.child.exitCode).toBeNull();
    await startEmbedded({ python: PYTHON, stateDir, port: null });
    await manager.event('manager.ready');
    const [number] = await lab.takeRuns(['--seconds', '2', '--speed', '0']);
    await lab.reached(number!, ['done']);
    await manager.kill();
  },
);

test('an unexpected error ends the process with a non-zero code and one clear line', async () => {
  const host = 'broken.test.local';
  const stateDir = lab.stateDir(host);
  await mkdir(stateDir, { recursive: true });
  // A file where the folder of attempts should be.
  await writeFile(join(stateDir, 'attempts'), 'not a folder');
  await chmod(join(stateDir, 'attempts'), 0o600);
  const manager = await lab.manager({ host });
  expect(await manager.exited).toBe(1);
  const crashes = manager.lines.filter((line) => line['event'] === 'manager.crashed');
  expect(crashes).toHaveLength(1);
  expect(String(crashes[0]!['msg'])).toContain('attempts');
});
