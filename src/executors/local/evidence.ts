import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

import { tellingStacks } from '../../attempt/process/stacks.pure.ts';
import { monotonicMs, systemClock } from '../../infra/clock/clock.ts';
import { note } from '../../infra/disk/durable.ts';
import { describeProcesses } from '../../infra/linux/open-files.ts';
import { readKernelFile } from '../../infra/linux/proc.ts';
import type { ProcessStat } from '../../infra/linux/process-identity.ts';
import { type AttemptProcesses, attemptProcesses, signal } from '../../infra/linux/processes.ts';

export const STACKS_FILE = 'stacks.txt';
export const OPEN_FILES_FILE = 'open-files.txt';

/** As `signal(7)` numbers it on all machines that Node runs on. */
const SIGUSR1 = 10;
const MOST_PROCESSES = 8;
/** A process that answers does so within milliseconds; its file is complete if it has not grown for this long. */
const REST_SECONDS = 0.1;
const LOOK_SECONDS = 0.02;
const MOST_STACK_BYTES = 1_000_000;

/**
 * Keeps in the attempt directory what a hung attempt is doing before it is ended: `open-files.txt`
 * and, from each of its Python processes, `stacks.txt`. Answers the telling part of the stacks; null
 * if there is none. Never takes much longer than `patienceSeconds`, and never throws: whatever is
 * missing, the attempt is ended all the same.
 */
export async function keepEvidence(
  directory: string,
  attempt: AttemptProcesses,
  patienceSeconds: number,
): Promise<string | null> {
  const file = join(directory, STACKS_FILE);
  try {
    const processes = attemptProcesses(attempt);
    await note(
      'evidence.open-files',
      join(directory, OPEN_FILES_FILE),
      describeProcesses(processes),
      'replace',
    );
    const before = await sizeOf(file);
    const deadline = monotonicMs(systemClock) + patienceSeconds * 1000;
    const answering = processes.filter(answersUsr1);
    for (const each of answering.slice(0, MOST_PROCESSES)) {
      const title = `\n=== process ${each.pid} (${nameOf(each.pid)})\n`;
      await note('evidence.stacks', file, title, 'append');
      const asked = await sizeOf(file);
      if (!signal(each, 'SIGUSR1')) continue;
      if (!(await comesToRest(file, asked, deadline))) {
        await note('evidence.stacks', file, '(no answer)\n', 'append');
      }
    }
    const bytes = await readFile(file).catch(() => Buffer.alloc(0));
    const telling = tellingStacks(bytes.toString('utf8', before, before + MOST_STACK_BYTES));
    return telling === '' ? null : telling;
  } catch {
    return null;
  }
}

/** Anybody else is killed by the signal: the guardian, and programs that strax may have started. */
function answersUsr1({ pid }: ProcessStat): boolean {
  const mask = /^SigCgt:\s*([0-9a-f]+)$/m.exec(readStatus(pid))?.[1];
  return mask !== undefined && (BigInt(`0x${mask}`) & (1n << BigInt(SIGUSR1 - 1))) !== 0n;
}

function nameOf(pid: number): string {
  return /^Name:\s*(.*)$/m.exec(readStatus(pid))?.[1] ?? '?';
}

function readStatus(pid: number): string {
  return readKernelFile(`/proc/${pid}/status`) ?? '';
}

/** Whether a file grows beyond `first` bytes before the deadline; waits until it has stopped to grow. */
async function comesToRest(file: string, first: number, deadline: number): Promise<boolean> {
  let size = first;
  let changed = monotonicMs(systemClock);
  for (;;) {
    const now = monotonicMs(systemClock);
    if (size > first && now - changed > REST_SECONDS * 1000) return true;
    if (now > deadline) return size > first;
    await systemClock.sleep(LOOK_SECONDS);
    const next = await sizeOf(file);
    if (next !== size) [size, changed] = [next, monotonicMs(systemClock)];
  }
}

async function sizeOf(file: string): Promise<number> {
  try {
    return (await stat(file)).size;
  } catch {
    return 0;
  }
}
