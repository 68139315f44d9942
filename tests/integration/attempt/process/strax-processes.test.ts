import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import {
  straxProcesses,
  unfinishedFolders,
} from '../../../../src/attempt/process/strax-processes.ts';
import { PYTHON, until } from '../../../support/lab.ts';

/** As the reference's: the manager forks a child that works on a run, and waits for it. */
const SCRIPT = `
import os, sys, time
child = os.fork()
if child == 0:
    held = open(sys.argv[1], 'w') if len(sys.argv) > 1 else None
    time.sleep(600)
print(child, flush=True)
os.waitpid(child, 0)
`;

let root: string;
const started: { manager: ChildProcess; child: number }[] = [];
const here = () => ({
  ...{ run: 7, runId: '000007', attempt: 'a'.repeat(24) },
  ...{ outputDirectory: join(root, 'out'), liveRoots: [join(root, 'live')] },
});

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'bootstrax-processes-'));
  for (const folder of ['out/000007-records-abc_temp', 'out/000008-records-abc_temp', 'live']) {
    await mkdir(join(root, folder), { recursive: true });
  }
});
afterEach(async () => {
  for (const { manager, child } of started.splice(0)) {
    try {
      process.kill(child, 'SIGKILL');
    } catch {
      // It has ended.
    }
    if (manager.exitCode === null && manager.signalCode === null) {
      manager.kill('SIGKILL');
      await once(manager, 'exit');
    }
  }
  await rm(root, { recursive: true, force: true });
});

async function start(name: string, ...args: string[]) {
  const script = join(root, name);
  await writeFile(script, SCRIPT);
  const manager = spawn(PYTHON, [script, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(createInterface({ input: manager.stdout }), 'line')) as [string];
  started.push({ manager, child: Number(line) });
  return { manager, child: Number(line) };
}

const found = (child: number) => straxProcesses(here()).find(({ pid }) => pid === child);

describe('processes of strax', () => {
  test('are children of the script by its name; with their manager killed they are orphans', async () => {
    const { manager, child } = await start('bootstrax');
    expect(found(child)).toEqual({ pid: child, orphan: false, makes: null });
    expect(straxProcesses(here()).map(({ pid }) => pid)).not.toContain(manager.pid);
    manager.kill('SIGKILL');
    await once(manager, 'exit');
    await until('the child to be an orphan', () => found(child)?.orphan);
    process.kill(child, 'SIGKILL');
    await until('the child to be gone', () => found(child) === undefined);
  });

  test('make the run whose files they hold', async () => {
    const own = await start('bootstrax.py', join(root, 'out/000007-records-abc_temp/chunk'));
    const other = await start('bootstrax.py', join(root, 'out/000008-records-abc_temp/chunk'));
    await until('both to hold a file', () => {
      return found(own.child)?.makes === 'this' && found(other.child)?.makes === 'other';
    });
  });

  test('are none of other scripts, though these hold files of the run', async () => {
    const { child } = await start('notebook.py', join(root, 'out/000007-records-abc_temp/chunk'));
    expect(found(child)).toBeUndefined();
  });

  test('leave unfinished folders, of which the last change is known', async () => {
    const folders = await unfinishedFolders(here(), Date.now() + 90_000);
    expect(folders.unfinished).toBe(true);
    expect(folders.quietSeconds).toBeGreaterThan(80);
    const none = await unfinishedFolders({ ...here(), runId: '000009' }, Date.now());
    expect(none).toEqual({ unfinished: false, quietSeconds: null });
  });
});
