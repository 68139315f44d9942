import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Document } from 'mongodb';
import { BSON } from 'mongodb';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';

import { Lab, type ManagerProcess, PACKAGE, until } from '../../support/lab.ts';
import { smallMachine } from '../../support/small-machine.ts';

vi.setConfig({ testTimeout: 300_000 });

const HOST = 'alpha.test.local';
const TAKE = ['--seconds', '2', '--speed', '0', '--rate', '1'];
const LARGEST_DOCUMENT = 16 * 1024 * 1024;

let lab: Lab;
let manager: ManagerProcess;
beforeAll(async () => {
  lab = await Lab.start({ warmPython: false });
  await mkdir(vices());
  manager = await lab.manager({
    host: HOST,
    context: 'hostile:small',
    config: smallMachine({ retry: { baseSeconds: 600 } }),
    env: {
      PYTHONPATH: join(PACKAGE, 'tests/support/contexts'),
      BOOTSTRAX_HOSTILE: vices(),
    },
  });
  await manager.event('worker.ready');
});
afterAll(() => lab.end());

const vices = () => join(lab.root, 'vices');

async function aGoodRunIsDone(): Promise<void> {
  const [number] = await lab.takeRuns(TAKE);
  await lab.reached(number!, ['done']);
  expect(manager.child.exitCode).toBeNull();
}

/** A healthy run whose document is as large as it may be but for so many bytes. */
async function largeRun(roomBytes: number): Promise<number> {
  manager.child.kill('SIGSTOP');
  try {
    const [number] = await lab.takeRuns(TAKE);
    const room =
      LARGEST_DOCUMENT - BSON.calculateObjectSize({ ...(await lab.run(number!)), padding: '' });
    const padding = 'p'.repeat(room - roomBytes);
    await lab.runs.updateOne({ number: number! }, { $set: { padding } as Document });
    return number!;
  } finally {
    manager.child.kill('SIGCONT');
  }
}

test('a plugin that raises an error of 9 MB fails its run, and the whole stays in the log', async () => {
  const [number] = await lab.takeRuns(['--seconds', '4', '--speed', '0']);
  await writeFile(join(vices(), String(number)), 'talks');
  const run = await lab.reached(number!, ['failed', 'done']);
  // Whoever was faster: the vice, or the manager.
  if (run.bootstrax.state === 'failed') {
    expect(run.bootstrax.n_failures).toBe(1);
    expect(run.bootstrax.reason).toContain('ValueError: www');
    expect(run.bootstrax.reason!.length).toBeLessThan(60_000);
    const attempt = await lab.attempts.findOne({ run: number! });
    const log = join(lab.stateDir(HOST), 'attempts', String(attempt!._id), 'log.txt');
    expect((await readFile(log, 'utf8')).length).toBeGreaterThan(9_000_000);
  }
  await aGoodRunIsDone();
});

test.each([
  // Not even the claim fits; the claim, but not the start; all but the list of what was made.
  ['nothing', 20],
  ['a claim', 150],
  ['a start', 600],
  ['some entries', 2500],
])('a document that has room for %s concerns its own run alone', async (_, roomBytes) => {
  const number = await largeRun(roomBytes);
  await aGoodRunIsDone();
  await until('the large run to be told of', async () => {
    const { bootstrax } = await lab.run(number);
    const left = manager.lines.find(({ event, run }) => event === 'run.left' && run === number);
    return left !== undefined || ['failed', 'done'].includes(String(bootstrax.state));
  });
  await aGoodRunIsDone();
  const { bootstrax } = await lab.run(number);
  if (bootstrax.state === 'failed') {
    // It waits for a person, and nobody tries it again before.
    expect(bootstrax.next_retry).toBeUndefined();
    expect(bootstrax.outcome).toBe('set_aside');
  }
  const told = manager.lines.filter(({ event, run }) => event === 'run.left' && run === number);
  expect(told.length).toBeLessThanOrEqual(1);
  await lab.runs.deleteOne({ number });
});
