import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, onTestFinished, test } from 'vitest';

import type { ProcessIdentity } from '../../../../src/infra/linux/process-identity.pure.ts';
import {
  bootId,
  identityOf,
  isAlive,
  processStat,
} from '../../../../src/infra/linux/process-identity.ts';
import {
  type AttemptProcesses,
  endSession,
  sessionProcesses,
} from '../../../../src/infra/linux/processes.ts';
import { start, temporaryFolder, until } from './support.ts';

const PROGRAM = join(import.meta.dirname, 'attempt_processes.py');

type Vice =
  | 'none'
  | 'ignores_term'
  | 'stopped'
  | 'workers'
  | 'workers_left'
  | 'leaves'
  | 'leaves_all'
  | 'guardian_stays';

/** Starts guardian and child (and another process, where the vice has one). */
async function attempt(
  vice: Vice,
): Promise<AttemptProcesses & { other: ProcessIdentity | null; exitFile: string }> {
  const logFile = join(temporaryFolder(), 'log.txt');
  const parent = start('python3', [PROGRAM, logFile, vice], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const [line] = (await once(createInterface({ input: parent.stdout! }), 'line')) as [string];
  const pids = JSON.parse(line) as { guardian: number; child: number; other?: number };
  onTestFinished(() => {
    for (const pid of Object.values(pids)) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // Gone, as it should be.
      }
    }
  });
  return {
    guardian: identityOf(pids.guardian)!,
    child: identityOf(pids.child)!,
    other: pids.other === undefined ? null : identityOf(pids.other),
    logFile,
    exitFile: `${logFile}.exit`,
  };
}

test('a child that obeys ends on TERM, and the guardian has the time to write', async () => {
  const found = await attempt('none');
  const end = await endSession(found, { graceSeconds: 3 });
  expect(end).toMatchObject({ kind: 'terminated', terminated: [found.child.pid], killed: [] });
  expect(end.seconds).toBeLessThan(2.5);
  expect(existsSync(found.exitFile)).toBe(true);
  expect([isAlive(found.guardian), isAlive(found.child)]).toEqual([false, false]);
});

test.each(['ignores_term', 'stopped'] as const)(
  'a child that %s is killed after the grace, the guardian still writes',
  async (vice) => {
    const found = await attempt(vice);
    if (vice === 'stopped') {
      await until('the child is stopped', () => processStat(found.child.pid)?.state === 'T');
    }
    const end = await endSession(found, { graceSeconds: 1 });
    expect(end).toMatchObject({ kind: 'killed', killed: [found.child.pid], survivors: [] });
    expect(end.seconds).toBeGreaterThan(1);
    expect(existsSync(found.exitFile)).toBe(true);
  },
);

test('workers of the child that ignore TERM are killed with it', async () => {
  const found = await attempt('workers');
  const end = await endSession(found, { graceSeconds: 0.5 });
  expect(end).toMatchObject({ kind: 'killed', killed: [found.other!.pid], survivors: [] });
  expect(isAlive(found.other!)).toBe(false);
});

test('a process that left the session is found by the log it writes to', async () => {
  const found = await attempt('leaves');
  expect(sessionProcesses(found.guardian.pid).map(({ pid }) => pid)).not.toContain(
    found.other!.pid,
  );
  const end = await endSession(found, { graceSeconds: 0.5 });
  expect(end.kind).toBe('killed');
  expect(isAlive(found.other!)).toBe(false);
});

test('a process that left session and log is found by its guardian', async () => {
  const found = await attempt('leaves_all');
  await until(
    'its parent gone',
    () => processStat(found.other!.pid)?.parent === found.guardian.pid,
  );
  const end = await endSession(found, { graceSeconds: 0.5 });
  expect(end).toMatchObject({ kind: 'killed', survivors: [] });
  expect(end.killed).toContain(found.other!.pid);
  expect(isAlive(found.other!)).toBe(false);
});

test('what is left of a session without guardian and child is ended', async () => {
  const found = await attempt('workers_left');
  process.kill(found.child.pid, 'SIGUSR1');
  await until('guardian and child gone', () => !isAlive(found.guardian) && !isAlive(found.child));
  expect(isAlive(found.other!)).toBe(true);
  expect(await endSession(found, { graceSeconds: 0.3 })).toMatchObject({
    kind: 'killed',
    killed: [found.other!.pid],
  });
});

test('a guardian that does not end is killed last', async () => {
  const found = await attempt('guardian_stays');
  const end = await endSession(found, { graceSeconds: 0.7 });
  expect(end).toMatchObject({ kind: 'killed', killed: [found.guardian.pid], survivors: [] });
  expect(existsSync(found.exitFile)).toBe(true);
});

test('processes with the same numbers but another start time are left alone', async () => {
  const found = await attempt('none');
  const end = await endSession({
    guardian: { ...found.guardian, startTicks: found.guardian.startTicks - 1 },
    child: { ...found.child, bootId: 'an earlier boot' },
    logFile: join(temporaryFolder(), 'log.txt'),
  });
  expect(end).toMatchObject({ kind: 'already_gone', terminated: [], killed: [] });
  expect([isAlive(found.guardian), isAlive(found.child)]).toEqual([true, true]);
  await endSession(found, { graceSeconds: 0 });
});

test('a zombie is dead and has no identity', async () => {
  const program =
    'import os, sys\npid = os.fork() or os._exit(0)\nprint(pid, flush=True)\nsys.stdin.read()';
  const parent = start('python3', ['-c', program], { stdio: ['pipe', 'pipe', 'inherit'] });
  const [line] = (await once(createInterface({ input: parent.stdout! }), 'line')) as [string];
  const pid = Number(line);
  await until('zombie', () => identityOf(pid) === null);
  expect(execFileSync('ps', ['-o', 'stat=', '-p', line]).toString().trim()).toMatch(/^Z/);
  const { startTicks } = processStat(pid)!;
  expect(isAlive({ pid, startTicks, bootId: bootId() })).toBe(false);
  parent.stdin!.end();
});

test('a program may have any name', async () => {
  const program = `
import ctypes, sys
ctypes.CDLL(None).prctl(15, b") R 1 (x", 0, 0, 0)
print(open("/proc/self/stat").read().rsplit(")", 1)[1].split()[19], flush=True)
sys.stdin.read()
`;
  const other = start('python3', ['-c', program], { stdio: ['pipe', 'pipe', 'inherit'] });
  const [line] = (await once(createInterface({ input: other.stdout! }), 'line')) as [string];
  expect(processStat(other.pid!)).toMatchObject({ parent: process.pid, startTicks: Number(line) });
  other.stdin!.end();
});
