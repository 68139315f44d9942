import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, onTestFinished, test } from 'vitest';

import { keepEvidence } from '../../../../src/executors/local/evidence.ts';
import { identityOf } from '../../../../src/infra/linux/process-identity.ts';
import type { AttemptProcesses } from '../../../../src/infra/linux/processes.ts';
import { start, temporaryFolder, until } from '../../infra/linux/support.ts';

/** A session leader, as a guardian is, whose child has a file open and hangs in `never_ends`. */
const HANGS = `
import faulthandler, os, signal, sys, threading, time
directory, vice = sys.argv[1:]
reader, writer = os.pipe()
pid = os.fork()
if pid:
    os.read(reader, 1)
    print(pid, flush=True)
    os.waitpid(pid, 0)
    os._exit(0)
stacks = open(directory + "/stacks.txt", "a")
if vice != "deaf":
    faulthandler.register(signal.SIGUSR1, file=stacks, all_threads=True)
else:
    signal.signal(signal.SIGUSR1, lambda *_: None)
data = open(directory + "/data.bin", "wb", buffering=0)
data.write(bytes(1234))

def never_ends():
    os.write(writer, b"!")
    if vice == "stopped":
        os.kill(os.getpid(), signal.SIGSTOP)
    while True:
        time.sleep(1)

threading.Thread(target=never_ends).start()
`;

async function hanging(
  folder: string,
  vice: string,
): Promise<{ attempt: AttemptProcesses; child: number; guardian: number }> {
  const parent = start('setsid', ['python3', '-c', HANGS, folder, vice]);
  const [line] = (await once(createInterface({ input: parent.stdout! }), 'line')) as [string];
  const child = Number(line);
  const guardian = Number(execFileSync('ps', ['-o', 'ppid=', '-p', line]).toString());
  onTestFinished(() => {
    process.kill(child, 'SIGKILL');
  });
  const attempt = {
    guardian: identityOf(guardian)!,
    child: identityOf(child)!,
    logFile: join(folder, 'log.txt'),
  };
  return { attempt, child, guardian };
}

test('where a child hangs, and which files it has open, is kept; nobody is harmed', async () => {
  const folder = temporaryFolder();
  const { attempt, child, guardian } = await hanging(folder, 'none');
  const telling = await keepEvidence(folder, attempt, 5);
  // The main thread only waits for the other one.
  expect(telling).toMatch(/^process \d+ \(python3?\), Thread /);
  expect(telling).toMatch(/in never_ends\n$/);
  expect(telling).not.toContain('Current thread');
  const stacks = readFileSync(join(folder, 'stacks.txt'), 'utf8');
  expect(stacks).toContain(`=== process ${child} `);
  expect(stacks).toContain('Current thread');
  const files = readFileSync(join(folder, 'open-files.txt'), 'utf8');
  expect(files).toContain(`process ${child} (python3), child of ${guardian}: state S`);
  expect(files).toMatch(/ w {2}at 1234 .*\/data\.bin\n/);
  expect([identityOf(child), identityOf(guardian)]).not.toContain(null);
  // Asked again, only what is new is told.
  const again = await keepEvidence(folder, attempt, 5);
  expect(again?.length).toBeLessThan(telling!.length * 1.5);
});

test.each(['stopped', 'deaf'])(
  'a child that is %s and cannot answer is not waited for',
  async (vice) => {
    const folder = temporaryFolder();
    const { attempt, child } = await hanging(folder, vice);
    if (vice === 'stopped') {
      await until('stopped', () =>
        / T /.test(readFileSync(`/proc/${child}/stat`, 'latin1').slice(0, 60)),
      );
    }
    const begin = performance.now();
    expect(await keepEvidence(folder, attempt, 0.5)).toBeNull();
    expect(performance.now() - begin).toBeLessThan(3000);
    expect(readFileSync(join(folder, 'stacks.txt'), 'utf8')).toContain('(no answer)');
    expect(readFileSync(join(folder, 'open-files.txt'), 'utf8')).toContain('data.bin');
  },
);

test('a folder that is gone keeps nothing and nobody from ending the attempt', async () => {
  const folder = temporaryFolder();
  const { attempt } = await hanging(folder, 'none');
  expect(await keepEvidence('/nowhere/at/all', attempt, 1)).toBeNull();
});
