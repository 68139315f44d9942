import { appendFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';

import { Lab, type ManagerProcess, until } from '../support/lab.ts';
import { ALPHA, config, directoryOf, doneOnce, noOrphans, readJson } from './support.ts';

const LIVE_RUN = ['--seconds', '4', '--speed', '1', '--chunk-seconds', '1'];

let lab: Lab;
let manager: ManagerProcess;
beforeAll(async () => {
  lab = await Lab.start();
});
afterEach(async ({ task }) => {
  if (task.result?.state === 'fail') console.error(manager.story());
  await manager.kill();
  await noOrphans(lab);
});
afterAll(() => lab.end());

interface Begun {
  number: number;
  directory: string;
  taking: Promise<number[]>;
}

/** A run that is being processed, its attempt's files there. */
async function aBusyRun(): Promise<Begun> {
  manager = await lab.manager({ config: config({ limits: { housekeepingSeconds: 1 } }) });
  await manager.event('worker.ready');
  const taking = lab.takeRuns(LIVE_RUN);
  const started = await manager.event('attempt.started');
  const directory = directoryOf(lab, ALPHA, started['attempt']);
  await until('the guardian to have written', () => readJson(directory, 'started.json'));
  return { number: Number(started['run']), directory, taking };
}

async function restart(): Promise<void> {
  await manager.kill();
  manager = await lab.manager({ config: config({ limits: { housekeepingSeconds: 1 } }) });
}

/** Not lost, not counted, done in the end; nothing of a first attempt is left. */
async function doneUncounted({ number, taking }: Begun): Promise<void> {
  await taking;
  const run = await lab.reached(number, ['done']);
  expect(run.bootstrax.n_failures ?? 0).toBe(0);
  const history = await until(`the history of run ${number} to be complete`, async () => {
    const attempts = await lab.attempts.find({ run: number }).toArray();
    return attempts.every(({ result }) => result !== null) ? attempts : null;
  });
  expect(history.filter(({ result }) => result!.counted)).toEqual([]);
  const types = run.data.map(({ type }) => type);
  expect(new Set(types).size).toBe(types.length);
  await noOrphans(lab);
}

/** Leaves the child to end without a manager: all its files are there. */
async function afterTheResult(begun: Begun): Promise<void> {
  await manager.kill();
  await begun.taking;
  await until('the guardian to have written the end', () => readJson(begun.directory, 'exit.json'));
}

const half = (file: string) => {
  const text = readFileSync(file, 'utf8');
  writeFileSync(file, text.slice(0, text.length / 2));
};

test('an attempt directory that is deleted while the run is processed', async () => {
  const run = await aBusyRun();
  rmSync(run.directory, { recursive: true, maxRetries: 20 });
  const ended = await manager.event('attempt.ended', { run: run.number, outcome: 'requeued' });
  expect(String(ended['msg'])).toContain(`its directory ${run.directory} was removed`);
  await doneUncounted(run);
});

test('an attempt directory that is deleted while no manager is there', async () => {
  const run = await aBusyRun();
  await manager.kill();
  rmSync(run.directory, { recursive: true });
  await restart();
  await doneUncounted(run);
});

test.each([
  ['half-written', half],
  [
    'of a later release',
    (file: string) => writeFileSync(file, JSON.stringify({ ...readAny(file), version: 99 })),
  ],
])('a plan.json that is %s: its child is ended, the run begins anew', async (_how, damage) => {
  const run = await aBusyRun();
  await manager.kill();
  damage(join(run.directory, 'plan.json'));
  await restart();
  await doneUncounted(run);
});

test('a started.json that is half-written: result and end are believed all the same', async () => {
  const run = await aBusyRun();
  await afterTheResult(run);
  half(join(run.directory, 'started.json'));
  await restart();
  await doneOnce(lab, run.number);
});

test('an exit.json that is garbage: the result is believed all the same', async () => {
  const run = await aBusyRun();
  await afterTheResult(run);
  writeFileSync(join(run.directory, 'exit.json'), '\0\0\0\0');
  await restart();
  await doneOnce(lab, run.number);
});

test.each([
  ['half-written', half, 'is not JSON'],
  [
    'of a later release',
    (file: string) => writeFileSync(file, JSON.stringify({ ...readAny(file), version: 99 })),
    'was written by a later release',
  ],
])('a result.json that is %s is this host’s trouble', async (_how, damage, said) => {
  const run = await aBusyRun();
  await afterTheResult(run);
  damage(join(run.directory, 'result.json'));
  await restart();
  const problem = await manager.event('attempt.file_problem', { file: 'result.json' });
  expect(String(problem['msg'])).toContain(said);
  const ended = await manager.event('attempt.ended', { run: run.number, outcome: 'requeued' });
  expect(String(ended['msg'])).toContain('this host cannot process it');
  await doneUncounted(run);
});

test('a last line of progress that is half-written', async () => {
  const run = await aBusyRun();
  await afterTheResult(run);
  appendFileSync(join(run.directory, 'progress.ndjson'), '{"t": 3.25, "phase": "proc');
  await restart();
  await doneOnce(lab, run.number);
});

function readAny(file: string): Record<string, unknown> {
  return JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
}
