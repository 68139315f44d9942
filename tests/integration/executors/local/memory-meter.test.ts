import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';

import { MemoryMeter } from '../../../../src/executors/local/memory-meter.ts';
import { identityOf } from '../../../../src/infra/linux/process-identity.ts';
import { start, until } from '../../infra/linux/support.ts';

const FAMILY = `
import os, sys
block = bytearray(os.urandom(1000) * 100_000)
if os.fork() == 0:
    own = bytearray(os.urandom(1000) * 50_000)
    if os.fork():
        os._exit(0)  # The grandchild is nobody's child any more, as after a double fork.
print("ready", flush=True)
if sys.stdin.readline() == "more\\n":
    more = bytearray(os.urandom(1000) * 200_000)
    print("more", flush=True)
sys.stdin.read()
`;
/** Adopts what its children leave behind, as a guardian does. */
const GUARDIAN = `
import ctypes, os, sys
ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
if os.fork() == 0:
    os.execvp("python3", ["python3", "-c", sys.argv[1]])
os.wait()
`;

test('memory is that of the whole tree: at most counted twice below the limit, exact above it', async () => {
  const parent = start('python3', ['-c', GUARDIAN, FAMILY], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines: string[] = [];
  createInterface({ input: parent.stdout! }).on('line', (line) => lines.push(line));
  await until('both have their memory', () => lines.length === 2);
  const guardian = identityOf(parent.pid!)!;
  const attempt = { guardian, child: guardian, logFile: '/nowhere' };
  const meter = new MemoryMeter();
  // Shared pages are counted for each process as long as it does not matter.
  const atMost = await meter.read(attempt, 1e9);
  expect(atMost).toBeGreaterThan(250e6);
  expect(atMost).toBeLessThan(300e6);
  const exact = await meter.read(attempt, 220e6);
  expect(exact).toBeGreaterThan(150e6);
  expect(exact).toBeLessThan(200e6);
  // What was found to be shared is not counted again.
  expect(await meter.read(attempt, 1e9)).toBeLessThan(200e6);
  parent.stdin!.write('more\n');
  await until('more memory', () => lines.includes('more'));
  expect(await meter.read(attempt, 1e9)).toBeGreaterThan(350e6);
  parent.stdin!.end();
  parent.kill('SIGKILL');
  await once(parent, 'exit');
  expect(await meter.read(attempt, 1e9)).toBe(0);
});
