import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { Lab, PYTHON, until } from '../../../support/lab.ts';

const HOST = 'alpha.test.local';
/** As the reference's manager: it forks a child that works on a run. */
const SCRIPT = `
import os, time
child = os.fork()
if child == 0:
    time.sleep(600)
print(child, flush=True)
os.waitpid(child, 0)
`;

let lab: Lab;
beforeAll(async () => {
  lab = await Lab.start();
});
afterAll(() => lab.end());

test('a run is not begun beside a child of the reference whose manager was killed on this host', async () => {
  const [number] = await lab.takeRuns(['--seconds', '3', '--speed', '0', '--rate', '10']);
  const script = join(lab.root, 'bootstrax');
  await writeFile(script, SCRIPT);
  const reference = spawn(PYTHON, [script], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(createInterface({ input: reference.stdout }), 'line')) as [string];
  reference.kill('SIGKILL');
  await once(reference, 'exit');
  try {
    await lab.runs.updateOne(
      { number: number! },
      {
        $set: {
          bootstrax: { state: 'failed', host: HOST, n_failures: 1, next_retry: new Date(0) },
        },
      },
    );
    const manager = await lab.manager({ host: HOST });
    await manager.event('attempt.waits', { run: number });
    const waiting = await until('the document to say what it waits for', async () => {
      const { bootstrax } = await lab.run(number!);
      return 'waits_for' in bootstrax ? bootstrax : null;
    });
    expect(waiting.state).toBe('considering');
    const { stdout } = await lab.command(['explain', String(number)], { host: HOST });
    expect(stdout).toContain(`process ${line} of another program`);
    const log = lab.client.db(lab.daqDb).collection('log');
    await until('the log to be told', () => log.findOne({ runid: number, message: /waits for/ }));
  } finally {
    process.kill(Number(line), 'SIGKILL');
  }
  const done = await lab.reached(number!, ['done']);
  expect('waits_for' in done.bootstrax).toBe(false);
  expect(done.bootstrax.n_failures).toBe(1);
});
