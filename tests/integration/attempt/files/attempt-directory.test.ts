import { execFileSync, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { expect, test } from 'vitest';

import {
  attemptDirectory,
  createAttempt,
  listAttempts,
  listOpenAttempts,
  markConcluded,
  markSuperseded,
  newAttemptId,
  pruneAttempts,
  readAttempt,
  removeAttempt,
} from '../../../../src/attempt/files/attempt-directory.ts';
import { CRASH_POINTS } from '../../../../src/infra/crash-points/points.ts';
import { touchFollowed, writeFileDurable } from '../../../../src/infra/disk/durable.ts';
import { planOf, temporaryFolder } from '../support.ts';

const KEEP_ALL = { keep: 100, maxBytes: 1e12, maxLogBytes: 1e9 };

test('a fresh attempt has its plan and nothing else', async () => {
  const state = temporaryFolder();
  const plan = planOf();
  const directory = await createAttempt(state, plan);
  expect(readdirSync(directory).sort()).toEqual(['followed', 'plan.json']);
  expect(await listAttempts(state)).toEqual([plan.attempt]);
  expect(await readAttempt(state, plan.attempt)).toEqual({
    id: plan.attempt,
    directory,
    plan,
    started: null,
    result: null,
    exit: null,
    superseded: false,
    concluded: false,
    ending: null,
    publishing: null,
    problems: [],
  });
});

test('an attempt that is not there is none; what is no attempt id is refused', async () => {
  const state = temporaryFolder();
  expect(await listAttempts(state)).toEqual([]);
  expect(await readAttempt(state, newAttemptId())).toBeNull();
  expect(() => attemptDirectory(state, '../../etc')).toThrow('no attempt id');
});

test.each([
  ['cut off', '{"version": 1, "atte', 'is not JSON (20 characters; cut off?)'],
  ['empty', '', 'is not JSON (0 characters; cut off?)'],
  [
    'of another version',
    '{"version": 2, "attempt": "x"}',
    'was written by a later release: it has version 2',
  ],
  ['a list', '[]', 'field (all): '],
])('a file that is %s is a problem and no file', async (_what, text, problem) => {
  const state = temporaryFolder();
  const plan = planOf();
  const directory = await createAttempt(state, plan);
  for (const file of ['plan.json', 'started.json', 'result.json', 'exit.json']) {
    writeFileSync(join(directory, file), text);
  }
  const found = await readAttempt(state, plan.attempt);
  expect(found).toMatchObject({ plan: null, started: null, result: null, exit: null });
  expect(found?.problems.map(({ file }) => file)).toEqual([
    'plan.json',
    'started.json',
    'result.json',
    'exit.json',
  ]);
  for (const { problem: said } of found?.problems ?? []) expect(said).toContain(problem);
});

test('a file of another attempt is a problem, a folder in its place too', async () => {
  const state = temporaryFolder();
  const plan = planOf();
  const other = planOf();
  const directory = await createAttempt(state, plan);
  writeFileSync(join(directory, 'plan.json'), JSON.stringify(other));
  mkdirSync(join(directory, 'exit.json'));
  expect((await readAttempt(state, plan.attempt))?.problems).toEqual([
    { file: 'plan.json', problem: `belongs to attempt ${other.attempt}` },
    { file: 'exit.json', problem: expect.stringContaining('EISDIR') as string },
  ]);
});

test('unknown fields are read: the next release may write them', async () => {
  const state = temporaryFolder();
  const plan = { ...planOf(), invented: 'later' };
  await createAttempt(state, plan);
  expect((await readAttempt(state, plan.attempt))?.plan).toEqual(plan);
});

test('marks are seen', async () => {
  const state = temporaryFolder();
  const plan = planOf();
  const directory = await createAttempt(state, plan);
  await markSuperseded(directory);
  expect(await listOpenAttempts(state)).toEqual([plan.attempt]);
  await markConcluded(directory);
  expect(await listOpenAttempts(state)).toEqual([]);
  expect(await readAttempt(state, plan.attempt)).toMatchObject({
    superseded: true,
    concluded: true,
  });
});

test('the sign of a manager is renewed, and made again if it is gone', async () => {
  const directory = await createAttempt(temporaryFolder(), planOf());
  const file = join(directory, 'followed');
  utimesSync(file, 0, 0);
  await touchFollowed(directory);
  expect(Date.now() - statSync(file).mtimeMs).toBeLessThan(5000);
  execFileSync('rm', [file]);
  await touchFollowed(directory);
  expect(existsSync(file)).toBe(true);
});

test('a durable write replaces the whole file and leaves nothing beside it', async () => {
  const folder = temporaryFolder();
  const path = join(folder, 'graph.json');
  await writeFileDurable('graph.json', path, 'a long first text');
  await writeFileDurable('graph.json', path, 'short');
  expect(readFileSync(path, 'utf8')).toBe('short');
  expect(readdirSync(folder)).toEqual(['graph.json']);
  await expect(writeFileDurable('graph.json', join(folder, 'none', 'x'), '')).rejects.toThrow(
    'ENOENT',
  );
});

test('removing an attempt removes all of it, once', async () => {
  const state = temporaryFolder();
  const plan = planOf();
  const directory = await createAttempt(state, plan);
  mkdirSync(join(directory, 'numba'));
  await removeAttempt(state, plan.attempt);
  await removeAttempt(state, plan.attempt);
  expect(readdirSync(join(state, 'attempts'))).toEqual([]);
});

async function concludedAttempt(state: string, ageSeconds: number, logBytes = 0): Promise<string> {
  const plan = planOf();
  const directory = await createAttempt(state, plan);
  writeFileSync(join(directory, 'log.txt'), 'line of ten\n'.repeat(logBytes / 12));
  await markConcluded(directory);
  const at = Date.now() / 1000 - ageSeconds;
  utimesSync(join(directory, 'concluded'), at, at);
  return plan.attempt;
}

test('of concluded attempts the newest are kept, the others never touched', async () => {
  const state = temporaryFolder();
  const running = planOf();
  const old = await concludedAttempt(state, 300);
  const middle = await concludedAttempt(state, 200);
  const fresh = await concludedAttempt(state, 100);
  await createAttempt(state, running);
  expect(await pruneAttempts(state, { ...KEEP_ALL, keep: 2 })).toEqual([old]);
  expect((await listAttempts(state)).sort()).toEqual([middle, fresh, running.attempt].sort());
  expect(await pruneAttempts(state, { ...KEEP_ALL, keep: 0 })).toEqual([fresh, middle]);
  expect(await listAttempts(state)).toEqual([running.attempt]);
});

test('concluded attempts keep within the bytes, and logs within theirs', async () => {
  const state = temporaryFolder();
  const old = await concludedAttempt(state, 200, 120_000);
  const fresh = await concludedAttempt(state, 100, 1_200_000);
  const retention = { keep: 10, maxBytes: 100_000, maxLogBytes: 50_000 };
  expect(await pruneAttempts(state, retention)).toEqual([old]);
  const log = readFileSync(join(attemptDirectory(state, fresh), 'log.txt'), 'utf8');
  expect(log.length).toBeLessThan(50_100);
  expect(log).toMatch(
    /^(line of ten\n)+\[\d+ bytes of this log were removed here\]\n(line of ten\n)+$/,
  );
  expect(await pruneAttempts(state, retention)).toEqual([]);
  expect((await readAttempt(state, fresh))?.plan).not.toBeNull();
});

/** Writes every durable file once, in a process that the environment may cut. */
async function writer(folder: string): Promise<string> {
  const file = join(folder, 'writer.mjs');
  await build({
    stdin: {
      contents: `
        import { createAttempt, markConcluded, markSuperseded, removeAttempt } from './src/attempt/files/attempt-directory.ts';
        const [state, plan, shared] = process.argv.slice(2);
        const directory = await createAttempt(state, JSON.parse(plan), shared || null);
        await markSuperseded(directory);
        await markConcluded(directory);
        await removeAttempt(state, JSON.parse(plan).attempt);
        console.log('whole way');`,
      resolveDir: process.cwd(),
      loader: 'ts',
    },
    outfile: file,
    bundle: true,
    platform: 'node',
    format: 'esm',
    logLevel: 'error',
  });
  return file;
}

test.each([
  ['on the host', false],
  ['on shared storage', true],
])(
  'the power may be cut at each point, and what is found %s is whole or nothing',
  async (_, isShared) => {
    const program = await writer(temporaryFolder());
    const way = (point: string | null) => {
      const state = temporaryFolder();
      const plan = planOf();
      const run = spawnSync(
        process.execPath,
        [program, state, JSON.stringify(plan), isShared ? join(state, 'shared') : ''],
        {
          env: { ...process.env, ...(point === null ? {} : { BOOTSTRAX_CRASH_AT: point }) },
        },
      );
      return { state, plan, run };
    };
    expect(way(null).run.stdout.toString()).toBe('whole way\n');
    const mine = CRASH_POINTS.filter((point) =>
      /^(plan\.json|superseded|concluded|attempt|followed)[.:](?!begin|plan|end)/.test(point),
    );
    expect(mine.length).toBeGreaterThan(16);
    for (const point of mine) {
      if (point.startsWith('attempt.link') && !isShared) continue;
      const { state, plan, run } = way(point);
      expect([point, run.signal]).toEqual([point, 'SIGKILL']);
      const found = await readAttempt(state, plan.attempt);
      expect(found?.problems ?? []).toEqual([]);
      // The next start tidies up what a removal left half done.
      await pruneAttempts(state, KEEP_ALL);
      if (point === 'attempt.rename:after')
        expect(readdirSync(join(state, 'attempts'))).toEqual([]);
    }
  },
);
