import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';

import type { Progress, Started } from '../../../../src/attempt/attempt.pure.ts';
import { newAttemptId } from '../../../../src/attempt/files/attempt-directory.ts';
import { followAttempt, type Follower } from '../../../../src/attempt/process/follow.ts';
import { LocalReach } from '../../../../src/executors/local/local-reach.ts';
import { writeFileDurable } from '../../../../src/infra/disk/durable.ts';
import { identityOf, selfIdentity } from '../../../../src/infra/linux/process-identity.ts';
import { progressOf, temporaryFolder } from '../support.ts';

/** An attempt directory and the hand that writes into it, as guardian and child would. */
class Attempt {
  readonly id = newAttemptId();
  readonly directory = join(temporaryFolder(), this.id);

  readonly reach: LocalReach;

  constructor() {
    mkdirSync(this.directory);
    this.reach = new LocalReach({ id: this.id, directory: this.directory, started: null });
  }

  async started(change: Partial<Started> = {}): Promise<void> {
    const self = selfIdentity();
    const started = { version: 1, attempt: this.id, guardian: self, child: self, warm: true };
    await this.write('started.json', { ...started, ...change });
  }

  async result(): Promise<void> {
    await this.write('result.json', {
      version: 1,
      attempt: this.id,
      run: 51230,
      ok: true,
      error: null,
      products: [],
      skipped: [],
      seconds: 1,
      peakMemoryBytes: 0,
      versions: {},
    });
  }

  async exit(): Promise<void> {
    await this.write('exit.json', {
      version: 1,
      attempt: this.id,
      code: 0,
      signal: null,
      outOfMemory: false,
      orphaned: false,
      peakMemoryBytes: 0,
    });
  }

  async write(file: string, value: unknown): Promise<void> {
    await writeFileDurable('graph.json', join(this.directory, file), JSON.stringify(value));
  }

  append(bytes: string | Buffer): void {
    appendFileSync(join(this.directory, 'progress.ndjson'), bytes);
  }

  progress(...lines: Progress[]): void {
    this.append(lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  }
}

function folderOf(type: string) {
  return {
    type,
    location: `/output/051230-${type}-abcdefghij`,
    lineageHash: 'abcdefghij',
    lineage: { [type]: ['Überschrift', '0.1', {}] },
  };
}

/** Follows and notes every call, in order. */
function listen(attempt: Attempt): {
  said: string[];
  states: Progress[];
  follower: Follower;
  stop: AbortController;
} {
  const said: string[] = [];
  const states: Progress[] = [];
  const stop = new AbortController();
  const follower = followAttempt(
    attempt.directory,
    attempt.reach,
    {
      onStarted: (started) => {
        attempt.reach.begun(started);
        said.push('started');
      },
      onProgress: (progress) => states.push(progress),
      onFolder: ({ type }) => said.push(`folder ${type}`),
      onWarning: (warning) => said.push(`warning ${warning}`),
      onResult: () => said.push('result'),
      onExit: () => said.push('exit'),
      onVanished: () => said.push('vanished'),
      onProblem: ({ file, problem }) => said.push(`problem ${file}: ${problem}`),
    },
    stop.signal,
  );
  onTestFinished(async () => {
    stop.abort();
    await follower.done;
  });
  return { said, states, follower, stop };
}

test('everything is told once, in order, and following ends with the exit', async () => {
  const attempt = new Attempt();
  const { said, states, follower } = listen(attempt);
  await attempt.started();
  await expect.poll(() => said).toEqual(['started']);
  attempt.progress(
    progressOf({ chunks: 1 }),
    progressOf({ chunks: 2, folder: folderOf('records') }),
  );
  await expect.poll(() => follower.progress?.chunks).toBe(2);
  attempt.progress(progressOf({ chunks: 3, warning: 'slow disk' }));
  await expect.poll(() => follower.progress).toEqual(progressOf({ chunks: 3 }));
  await attempt.result();
  await expect.poll(() => said).toContain('result');
  await attempt.exit();
  await follower.done;
  expect(said).toEqual(['started', 'folder records', 'warning slow disk', 'result', 'exit']);
  expect(states.map(({ chunks }) => chunks)).toEqual([2, 3]);
});

test('an attempt that ended long ago is told whole, the exit last', async () => {
  const attempt = new Attempt();
  await attempt.exit();
  await attempt.result();
  attempt.progress(progressOf({ folder: folderOf('records') }), progressOf({ chunks: 9 }));
  await attempt.started();
  const { said, states, follower } = listen(attempt);
  await follower.done;
  expect(said).toEqual(['started', 'folder records', 'result', 'exit']);
  expect(states).toEqual([progressOf({ chunks: 9 })]);
});

test('the state is that of the last whole line, whatever is behind it', async () => {
  const attempt = new Attempt();
  attempt.progress(progressOf({ phase: 'post_processing', target: 'peaks' }));
  attempt.progress(progressOf({ phase: 'finishing' }));
  attempt.append('{"t": 3, "phase": "fin');
  const { follower } = listen(attempt);
  await expect.poll(() => follower.progress).toEqual(progressOf({ phase: 'finishing' }));
});

test('a folder that is announced again is told once', async () => {
  const attempt = new Attempt();
  const { said, follower } = listen(attempt);
  attempt.progress(progressOf({ folder: folderOf('records') }));
  attempt.progress(progressOf({ folder: folderOf('records') }));
  attempt.progress(progressOf({ chunks: 7, folder: folderOf('peaks') }));
  await expect.poll(() => follower.progress?.chunks).toBe(7);
  expect(said).toEqual(['folder records', 'folder peaks']);
});

test('however the bytes of the lines arrive, nothing is lost or told twice', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.string({ unit: 'grapheme', maxLength: 20 }), { minLength: 1, maxLength: 20 }),
      fc.array(fc.nat(), { maxLength: 10 }),
      async (warnings, cuts) => {
        const attempt = new Attempt();
        const bytes = Buffer.from(
          warnings.map((warning) => `${JSON.stringify(progressOf({ warning }))}\n`).join(''),
        );
        const places = [...cuts.map((cut) => cut % bytes.length), bytes.length].sort(
          (a, b) => a - b,
        );
        const found: string[] = [];
        const stop = new AbortController();
        const { done } = followAttempt(
          attempt.directory,
          attempt.reach,
          { onWarning: (warning) => found.push(warning) },
          stop.signal,
        );
        for (const [index, place] of places.entries()) {
          attempt.append(bytes.subarray(places[index - 1] ?? 0, place));
          await new Promise(setImmediate);
        }
        await attempt.exit();
        await done;
        expect(found).toEqual(warnings);
      },
    ),
    { numRuns: 50 },
  );
});

test('what cannot be read is said once, and the rest goes on', async () => {
  const attempt = new Attempt();
  const { said, follower } = listen(attempt);
  attempt.append('nonsense\n');
  attempt.progress(progressOf({ chunks: 4 }));
  writeFileSync(join(attempt.directory, 'result.json'), '{"version": 2}');
  writeFileSync(join(attempt.directory, 'result.json'), '{"version": 2}');
  await expect.poll(() => said.length).toBe(2);
  expect(follower.progress?.chunks).toBe(4);
  await attempt.result();
  await attempt.exit();
  await follower.done;
  expect(said.filter((text) => text.startsWith('problem')).sort()).toEqual([
    'problem progress.ndjson: is no progress: nonsense',
    expect.stringContaining('problem result.json: was written by a later release'),
  ]);
  expect(said.slice(-2)).toEqual(['result', 'exit']);
});

test('news come within milliseconds', async () => {
  const attempt = new Attempt();
  const delays: number[] = [];
  let written = 0;
  const stop = new AbortController();
  const { done } = followAttempt(
    attempt.directory,
    attempt.reach,
    { onProgress: () => delays.push(performance.now() - written) },
    stop.signal,
  );
  // The beginning is not measured.
  attempt.progress(progressOf());
  await expect.poll(() => delays.length).toBe(1);
  for (let count = 2; count <= 50; count += 1) {
    written = performance.now();
    attempt.progress(progressOf({ chunks: count }));
    await expect.poll(() => delays.length, { interval: 1 }).toBe(count);
  }
  stop.abort();
  await done;
  delays.sort((a, b) => a - b);
  expect(delays[25]).toBeLessThan(20);
});

test('only real progress is activity', async () => {
  const attempt = new Attempt();
  const { follower, states } = listen(attempt);
  const seen: number[] = [follower.lastActivityMs];
  for (const change of [
    { chunks: 1 },
    { chunks: 1, t: 2 },
    { chunks: 1, t: 3, memoryBytes: 5e6 },
    { chunks: 1, t: 4, bytes: 2000 },
    { chunks: 1, t: 5, bytes: 2000, phase: 'finishing' as const },
    { chunks: 1, t: 6, bytes: 2000, phase: 'finishing' as const },
  ]) {
    attempt.progress(progressOf(change));
    const count = states.length;
    await expect.poll(() => states.length).toBe(count + 1);
    seen.push(follower.lastActivityMs);
  }
  const moved = seen.slice(1).map((at, index) => at > seen[index]!);
  expect(moved).toEqual([true, false, false, true, true, false]);
});

test('processes that are gone without an exit file are noticed', async () => {
  const attempt = new Attempt();
  const program = spawn('sleep', ['60'], { stdio: 'ignore' });
  const identity = identityOf(program.pid!)!;
  await attempt.started({ guardian: identity, child: identity });
  const { said, follower } = listen(attempt);
  await expect.poll(() => said).toEqual(['started']);
  program.kill('SIGKILL');
  await once(program, 'exit');
  attempt.progress(progressOf({ warning: 'last words' }));
  await attempt.result();
  await follower.done;
  expect(said).toEqual(['started', 'warning last words', 'result', 'vanished']);
});

test('an attempt of before a reboot has vanished at once', async () => {
  const attempt = new Attempt();
  const before = { ...selfIdentity(), bootId: 'an earlier boot' };
  await attempt.started({ guardian: before, child: before });
  const begin = performance.now();
  const { said, follower } = listen(attempt);
  await follower.done;
  expect(said).toEqual(['started', 'vanished']);
  expect(performance.now() - begin).toBeLessThan(1000);
});

test('an attempt that never started is noticed after a while, unless somebody has its log', async () => {
  const never = listen(new Attempt());
  const starting = new Attempt();
  const guardian = spawn('sh', ['-c', `exec sleep 60 >> ${starting.directory}/log.txt`], {
    stdio: 'ignore',
  });
  onTestFinished(() => {
    guardian.kill('SIGKILL');
  });
  const started = listen(starting);
  const begin = performance.now();
  await never.follower.done;
  expect(never.said).toEqual(['vanished']);
  expect(performance.now() - begin).toBeGreaterThan(10_000);
  expect(started.said).toEqual([]);
  guardian.kill('SIGKILL');
  await once(guardian, 'exit');
  await started.follower.done;
  expect(started.said).toEqual(['vanished']);
});

test('a child whose guardian is gone is followed to its end', async () => {
  const attempt = new Attempt();
  const program = spawn('sleep', ['60'], { stdio: 'ignore' });
  const child = identityOf(program.pid!)!;
  await attempt.started({ guardian: { ...child, pid: 1, startTicks: 1 }, child });
  const { said, follower } = listen(attempt);
  attempt.progress(progressOf({ warning: 'alone' }));
  await expect.poll(() => said).toEqual(['started', 'warning alone']);
  program.kill('SIGKILL');
  await follower.done;
  expect(said.at(-1)).toBe('vanished');
});

test('the signal ends following, and nothing is told after it', async () => {
  const attempt = new Attempt();
  const { said, follower, stop } = listen(attempt);
  stop.abort();
  await follower.done;
  await attempt.started();
  await attempt.exit();
  expect(said).toEqual([]);
});

test('a directory that goes away is no problem', async () => {
  const attempt = new Attempt();
  const { said, follower, stop } = listen(attempt);
  attempt.progress(progressOf({ chunks: 2 }));
  await expect.poll(() => follower.progress?.chunks).toBe(2);
  rmSync(attempt.directory, { recursive: true });
  stop.abort();
  await follower.done;
  expect(said).toEqual([]);
});

test('an error in a handler is not swallowed', async () => {
  const attempt = new Attempt();
  const { done } = followAttempt(
    attempt.directory,
    attempt.reach,
    {
      onStarted: () => {
        throw new Error('of the handler');
      },
    },
    new AbortController().signal,
  );
  await Promise.all([attempt.started(), expect(done).rejects.toThrow('of the handler')]);
});

test('following a child that says something each second costs next to nothing', async () => {
  const attempt = new Attempt();
  const writer = spawn(
    'python3',
    [
      '-u',
      '-c',
      `
import json, sys, time
line = sys.argv[2]
with open(sys.argv[1], "a") as file:
    for _ in range(200):
        file.write(line + "\\n")
        file.flush()
        time.sleep(0.01)
print("done")
`,
      join(attempt.directory, 'progress.ndjson'),
      JSON.stringify(progressOf()),
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const lines = createInterface({ input: writer.stdout });
  const { states } = listen(attempt);
  const before = process.cpuUsage();
  await once(lines, 'line');
  await expect.poll(() => states.length).toBeGreaterThan(100);
  const { user, system } = process.cpuUsage(before);
  // 200 lines, as many as in 200 s: below 0.5 % of a core then.
  expect((user + system) / 1e6).toBeLessThan(1);
});
