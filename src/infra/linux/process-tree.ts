import { readdirSync } from 'node:fs';

import { readKernelFile } from './proc.ts';

/** These processes and all their descendants; no other process is read. */
export function descendants(roots: readonly number[]): number[] {
  const found = new Set(roots);
  for (const pid of found) {
    for (const child of childrenOf(pid)) found.add(child);
  }
  return [...found];
}

function childrenOf(pid: number): number[] {
  return tasksOf(pid).flatMap((task) =>
    (readKernelFile(`/proc/${pid}/task/${task}/children`) ?? '')
      .split(' ')
      .filter((text) => text !== '')
      .map(Number),
  );
}

function tasksOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
}
