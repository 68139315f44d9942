import { readFile } from 'node:fs/promises';

import { readKernelFile } from '../../infra/linux/proc.ts';
import { isAlive } from '../../infra/linux/process-identity.ts';
import { descendants } from '../../infra/linux/process-tree.ts';
import type { AttemptProcesses } from '../../infra/linux/processes.ts';

/** Measures one attempt's processes over and over. */
export class MemoryMeter {
  /** How much of what is resident was shared when it was last measured exactly. */
  #sharedBytes = 0;

  /**
   * Memory of all processes of the attempt, bytes: at least what they use, and exactly that (the
   * proportional set size, in which shared pages count once) where it would exceed `limitBytes`.
   * The exact measure walks all pages and holds up who allocates meanwhile, so it is left for the
   * moment when it matters.
   */
  async read({ guardian, child }: AttemptProcesses, limitBytes: number): Promise<number> {
    const roots = [guardian, child].filter(isAlive).map(({ pid }) => pid);
    const members = descendants(roots);
    const resident = members.reduce((sum, pid) => sum + residentBytes(pid), 0);
    const estimate = Math.max(0, resident - this.#sharedBytes);
    if (estimate <= limitBytes) return estimate;
    const exact = await proportionalBytes(members);
    this.#sharedBytes = Math.max(0, resident - exact);
    return exact;
  }
}

/** Shared pages count once for each process; costs the kernel nothing. */
function residentBytes(pid: number): number {
  return kilobytes(readKernelFile(`/proc/${pid}/status`), 'VmRSS') * 1024;
}

async function proportionalBytes(pids: readonly number[]): Promise<number> {
  let sum = 0;
  // One after the other: should the kernel not answer for a process that is stuck, no more than one
  // of the few threads that also serve all other files is lost to it.
  for (const pid of pids) {
    const text = await readFile(`/proc/${pid}/smaps_rollup`, 'latin1').catch(() => null);
    sum += kilobytes(text, 'Pss') * 1024;
  }
  return sum;
}

/** 0 where the text has no such line: the process is gone, or a zombie. */
function kilobytes(text: string | null, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text ?? '')?.[1] ?? 0);
}
