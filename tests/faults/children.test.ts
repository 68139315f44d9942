import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';

import { startedSchema } from '../../src/attempt/attempt.pure.ts';
import { memoryCapacity } from '../../src/host/memory.ts';
import {
  identityOf,
  isZombie,
  type ProcessStat,
  processStat,
} from '../../src/infra/linux/process-identity.ts';
import {
  type AttemptProcesses,
  attemptProcesses,
  signal,
} from '../../src/infra/linux/processes.ts';
import {
  Lab,
  type ManagerChoices,
  type ManagerProcess,
  PACKAGE,
  PYTHON,
  type StoredRun,
  until,
} from '../support/lab.ts';
import { lacking } from '../support/lacking.ts';
import { MemoryGroup } from '../support/memory-group.ts';
import {
  type Changes,
  type Configuration,
  resourcesOfAll,
  smallMachine,
} from '../support/small-machine.ts';

/** Each run is tried twice, and given up on in between: on a busy machine that takes its time. */
const PATIENCE_SECONDS = 240;
vi.setConfig({ testTimeout: 300_000 });

const HOST = 'alpha.test.local';
const GB = 1e9;

/** Gives up on a child soon; has cores and messages that can become fewer. */
const FOUR_CORES = { cores: 4, maxMessages: 16, timeoutSeconds: 60 };
const strict = (maxNoWriteSeconds: number, memory: Changes['memory'] = {}) =>
  smallMachine(resourcesOfAll(FOUR_CORES), { limits: { maxNoWriteSeconds }, memory });
const STRICT = strict(12);
/** Waits for a child that takes memory slowly, on a machine that has much else to do. */
const memory = (limits: Changes['memory']) => strict(120, limits);

interface PastAttempt {
  _id: string;
  plan: { cores: number; maxMessages: number; reasons: string[] } | null;
  result: {
    outcome: string;
    counted: boolean;
    cause: string | null;
    reason: string;
    traceback: string | null;
    fingerprint: string | null;
    peakMemoryBytes: number | null;
  } | null;
}

let lab: Lab;
beforeAll(async () => {
  lab = await Lab.start();
  await mkdir(vices());
});
afterAll(() => lab.end());

const vices = () => join(lab.root, 'vices');

/** Takes a run that misbehaves at its first attempt, and starts a manager. */
async function hostile(
  vice: string,
  choices: ManagerChoices = {},
  started: (manager: ManagerProcess) => void = () => undefined,
): Promise<{ number: number; manager: ManagerProcess }> {
  const [number] = await lab.takeRuns(['--seconds', '4', '--chunk-seconds', '1', '--speed', '0']);
  await writeFile(join(vices(), String(number)), vice);
  const manager = await another(choices);
  started(manager);
  return { number: number!, manager };
}

async function another(choices: ManagerChoices = {}): Promise<ManagerProcess> {
  const manager = await lab.manager({
    host: HOST,
    context: 'hostile:small',
    config: STRICT,
    ...choices,
    env: {
      PYTHONPATH: join(PACKAGE, 'tests/support/contexts'),
      BOOTSTRAX_HOSTILE: vices(),
      ...choices.env,
    },
  });
  onTestFinished(() => manager.kill());
  return manager;
}

async function attemptsOf(run: number): Promise<PastAttempt[]> {
  const found = await lab.attempts.find({ run }).sort({ started: 1 }).toArray();
  return found as unknown as PastAttempt[];
}

const directoryOf = (attempt: string) => join(lab.stateDir(HOST), 'attempts', attempt);

/** The processes of an attempt that has begun. */
async function processesOf(attempt: string) {
  const directory = directoryOf(attempt);
  const text = await until('started.json', () =>
    readFile(join(directory, 'started.json'), 'utf8').catch(() => null),
  );
  const { guardian, child } = startedSchema.parse(JSON.parse(text));
  return { guardian, child, logFile: join(directory, 'log.txt') };
}

/** Waits until the child has come to its vice; its name is in the log before. */
async function atItsVice(attempt: string): Promise<void> {
  await until('the vice', async () => {
    const progress = await readFile(join(directoryOf(attempt), 'progress.ndjson'), 'utf8').catch(
      () => '',
    );
    return /"chunks": [1-9]/.test(progress);
  });
}

/** The run is done, its first attempt ended as it should, and nothing of it is left anywhere. */
async function endsWell(
  { number, manager }: { number: number; manager: ManagerProcess },
  expected: { outcome: string; counted: boolean; cause: string },
): Promise<{ run: StoredRun; first: PastAttempt; second: PastAttempt }> {
  const run = await lab.reached(number, ['done'], PATIENCE_SECONDS);
  const attempts = await until('the history', async () => {
    const found = await attemptsOf(number);
    return found.length === 2 && found.every(({ result }) => result !== null) && found;
  });
  const [first, second] = attempts as [PastAttempt, PastAttempt];
  expect(first.result).toMatchObject(expected);
  expect(second.result).toMatchObject({ outcome: 'done', cause: 'finished' });
  expect(run.bootstrax.n_failures ?? 0).toBe(expected.counted ? 1 : 0);

  for (const { _id } of attempts) {
    const processes = await processesOf(_id);
    await until(`nothing of attempt ${_id} to run`, () => attemptProcesses(processes).length === 0);
    // Nobody waits for a zombie: not the manager, which would take it for one that cannot be killed.
    await until('no zombie', () => !isZombieNow(processes.guardian.pid));
  }
  expect(manager.lines.filter((line) => line['event'] === 'attempt.survivors')).toEqual([]);
  const folders = (await readdir(lab.output)).filter((name) => name.startsWith(runId(number)));
  const listed = run.data.filter(({ type }) => type !== 'live').map(({ location }) => location);
  expect(folders.map((name) => join(lab.output, name)).sort()).toEqual(listed.sort());
  expect(folders.filter((name) => name.endsWith('_temp'))).toEqual([]);
  return { run, first, second };
}

const runId = (number: number) => String(number).padStart(6, '0');

function isZombieNow(pid: number): boolean {
  const stat = processStat(pid);
  return stat !== null && isZombie(stat);
}

describe('a child that hangs silently', () => {
  test.each(['hangs', 'hangs_in_c'])(
    '%s: stacks and open files are kept, and it fails',
    async (vice) => {
      const run = await hostile(vice);
      const { first } = await endsWell(run, {
        outcome: 'failed',
        counted: true,
        cause: 'no_progress',
      });
      const where = vice === 'hangs' ? 'hangs_here' : 'misbehave';
      expect(first.result!.reason).toContain('nothing was written for too long');
      expect(first.result!.traceback).toContain(`in ${where}\n`);
      // A thread that keeps the interpreter's lock stops others in the middle of what they do.
      const fingerprint =
        vice === 'hangs' ? /^no_progress at .*hostile.py:hangs_here$/ : /^no_progress at /;
      expect(first.result!.fingerprint).toMatch(fingerprint);
      const stacks = await readFile(join(directoryOf(first._id), 'stacks.txt'), 'utf8');
      expect(stacks).toContain('Thread 0x');
      const files = await readFile(join(directoryOf(first._id), 'open-files.txt'), 'utf8');
      expect(files).toContain('progress.ndjson');
      expect(files.match(/^process \d+ /gm)!.length).toBeGreaterThanOrEqual(2);
      const { stdout } = await lab.command(['history', String(run.number)], { host: HOST });
      expect(stdout).toContain(`in ${where}`);
    },
  );

  test('one that ignores TERM and every other signal is killed after the grace', async () => {
    const run = await hostile('hangs_deaf');
    const { first } = await endsWell(run, {
      outcome: 'failed',
      counted: true,
      cause: 'no_progress',
    });
    expect(first.result!.traceback).toBeNull();
    const files = await readFile(join(directoryOf(first._id), 'open-files.txt'), 'utf8');
    expect(files).toContain('log.txt');
    const exit = JSON.parse(await readFile(join(directoryOf(first._id), 'exit.json'), 'utf8')) as {
      signal: number;
    };
    expect(exit.signal).toBe(9);
  });

  test('one that ignores TERM and is stopped by an operator: TERM, 3 s, KILL; not counted', async () => {
    const run = await hostile('hangs_deaf');
    const { attempt } = await run.manager.event('attempt.started');
    await atItsVice(String(attempt));
    const begin = performance.now();
    const { code } = await lab.command(['stop', '--children'], { host: HOST });
    expect(code).toBe(0);
    await run.manager.event('attempt.ended', { attempt });
    expect(performance.now() - begin).toBeGreaterThan(3000);
    await endsWell(run, { outcome: 'requeued', counted: false, cause: 'manager' });
  });
});

describe('a child that takes memory without end', () => {
  const percent = (bytes: number) =>
    Number(((100 * bytes) / memoryCapacity().totalBytes).toFixed(3));

  test.each(['allocates', 'allocates_in_c'])(
    '%s: is stopped at its limit, and gets less the next time',
    async (vice) => {
      const config = memory({ maxUsePercent: percent(GB) });
      const run = await hostile(vice, { config });
      const { first, second } = await endsWell(run, {
        outcome: 'failed',
        counted: true,
        cause: 'memory_limit',
      });
      expect(first.result!.reason).toMatch(/it used \d\.\d GB of memory \(limit 1\.0 GB/);
      expect(first.plan).toMatchObject({ cores: 4, maxMessages: 16 });
      expect(second.plan).toMatchObject({ cores: 1, maxMessages: 7 });
      expect(second.plan!.reasons.join(' ')).toContain('because it ran out of memory');
    },
  );

  const group = MemoryGroup.make(2 * GB);
  if (typeof group !== 'string') group.remove();
  const inAGroup = test.skipIf(lacking(typeof group === 'string' ? { why: group } : null));

  inAGroup('in a control group, which is smaller than the machine, too', async () => {
    // The worker lives in the group as well; what is left must do until the child has gone.
    const config = memory({ maxUsePercent: 60, minAvailablePercent: 20 });
    const run = await inGroup('allocates', config);
    const { first } = await endsWell(run, {
      outcome: 'failed',
      counted: true,
      cause: 'memory_limit',
    });
    expect(first.result!.reason).toMatch(/limit 1\.2 GB/);
  });

  inAGroup(
    'killed by the kernel, if it comes to that: only the child goes, and it counts',
    async () => {
      const off = memory({ maxUsePercent: 1000, minAvailablePercent: 0 });
      const run = await inGroup('allocates', off);
      const { second } = await endsWell(run, {
        outcome: 'failed',
        counted: true,
        cause: 'out_of_memory',
      });
      expect(second.plan).toMatchObject({ cores: 1, maxMessages: 7 });
      expect(run.manager.child.exitCode).toBeNull();
    },
  );

  /** In a group of 2 GB that goes with the test. */
  async function inGroup(vice: string, config: Configuration) {
    const made = MemoryGroup.make(2 * GB);
    if (typeof made === 'string') throw new Error(made);
    onTestFinished(async () => {
      made.kill();
      await until('the group to be empty', () => made.members().length === 0);
      made.remove();
    });
    // A worker of its own, and not a fork from outside the group.
    const choices = { config, env: { BOOTSTRAX_PYTHON: PYTHON } };
    return hostile(vice, choices, (manager) => made.add(manager.child.pid!));
  }
});

describe('a child that leaves processes behind', () => {
  test.each([
    ['forks_and_leaves', null],
    ['forks_and_dies', { outcome: 'failed', counted: true, cause: 'child_died' }],
  ])('%s: they go with it, wherever they went', async (vice, expected) => {
    const run = await hostile(vice);
    if (expected === null) await lab.reached(run.number, ['done'], PATIENCE_SECONDS);
    else await endsWell(run, expected);
    const notes = ['stays', 'leaves', 'closes'].map((how) => join(vices(), `${how}.pid`));
    for (const note of notes) {
      const pid = Number(await readFile(note, 'utf8'));
      await until(`${note} to be gone`, () => identityOf(pid) === null);
    }
    expect(run.manager.lines.filter((line) => line['event'] === 'attempt.survivors')).toEqual([]);
  });
});

describe('all processes of an attempt killed at once', () => {
  test.each(['one by one', 'with their control group'])(
    '%s: back to the queue, not counted, and done',
    async (how) => {
      const run = await hostile('hangs');
      const { attempt } = await run.manager.event('attempt.started');
      await atItsVice(String(attempt));
      const processes = await processesOf(String(attempt));
      const members = attemptProcesses(processes).map(({ pid }) => pid);
      expect(members.length).toBeGreaterThanOrEqual(2);
      const group = how === 'one by one' ? 'not wanted' : MemoryGroup.make(8 * GB);
      if (typeof group === 'string') killTogether(members);
      else {
        members.forEach((pid) => group.add(pid));
        group.kill();
      }
      await until('all to be gone', () => members.every((pid) => identityOf(pid) === null));
      await endsWell(run, { outcome: 'requeued', counted: false, cause: 'vanished' });
      if (typeof group !== 'string') group.remove();
    },
  );
});

describe('shared memory', () => {
  const SHARED_MEMORY = '/dev/shm';
  const ofAttempt = async (attempt: string) =>
    (await readdir(SHARED_MEMORY)).filter((name) => name.includes(attempt));

  test.each(['its manager', 'the next manager'])(
    'that a killed attempt leaves behind is removed by %s; what is not its own stays',
    async (who) => {
      const foreign = ['psm_0a1b2c3d', 'npshmex_data_ABCDEFGHIJKLMNOP_TEMP'].map(
        (name) => `${name}_${lab.runsDb}`,
      );
      foreign.push(`bootstrax_0123456789abcdef01234567_${lab.runsDb}`);
      for (const name of foreign) await writeFile(join(SHARED_MEMORY, name), 'foreign');
      onTestFinished(async () => {
        for (const name of foreign) await rm(join(SHARED_MEMORY, name), { force: true });
      });
      const run = await hostile('leaves_shared_memory');
      const { attempt } = await run.manager.event('attempt.started');
      await until("the child's own segment", async () =>
        (await ofAttempt(String(attempt))).some((name) => name.startsWith('bootstrax_')),
      );
      const processes = await processesOf(String(attempt));
      if (who === 'the next manager') await run.manager.kill();
      const members = await frozen(processes);
      // With npshmex, what strax's worker processes have not yet fetched from each other as well.
      const own = await ofAttempt(String(attempt));
      for (const member of members) signal(member, 'SIGKILL');
      const next = who === 'the next manager' ? await another() : run.manager;
      const line = await next.event('attempt.shared_memory', { run: run.number });
      expect([...(line['removed'] as string[])].sort()).toEqual(own.sort());
      await endsWell(
        { number: run.number, manager: next },
        { outcome: 'requeued', counted: false, cause: 'vanished' },
      );
      expect(await ofAttempt(String(attempt))).toEqual([]);
      expect(await readdir(SHARED_MEMORY)).toEqual(expect.arrayContaining(foreign));
    },
  );
});

/** The processes of an attempt, once all of them stand still and no new one can come. */
async function frozen(processes: AttemptProcesses): Promise<ProcessStat[]> {
  return until('all processes of the attempt to be stopped', () => {
    const members = attemptProcesses(processes);
    const running = members.filter(({ state }) => state !== 'T');
    for (const one of running) signal(one, 'SIGSTOP');
    return running.length === 0 && members;
  });
}

/** Stopped first, none of them sees another one die. */
function killTogether(pids: readonly number[]): void {
  for (const each of ['SIGSTOP', 'SIGKILL'] as const) {
    for (const pid of pids) process.kill(pid, each);
  }
}
