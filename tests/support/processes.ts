import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

import { until } from './until.ts';

/**
 * Processes that have to do with a folder, zombies and this one left out: it is in their command line or
 * their environment or, of a fork of a process that had another, their output goes below it.
 */
export function processesOf(folder: string): { pid: number; line: string }[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((pid) => {
      const line = textOf(`/proc/${pid}/cmdline`);
      const concerned =
        names(`${line}\0${textOf(`/proc/${pid}/environ`)}`, folder) ||
        ['1', '2'].some((fd) => names(targetOf(`/proc/${pid}/fd/${fd}`), folder));
      return concerned ? [{ pid: Number(pid), line: line.replaceAll('\0', ' ').trim() }] : [];
    });
}

/** As if somebody had pulled the plug: nothing that has to do with the folder is left. */
export async function killProcessesOf(folder: string): Promise<void> {
  await until(`all processes of ${folder} to be gone`, () => {
    const left = processesOf(folder);
    for (const { pid } of left) kill(pid);
    return left.length === 0;
  });
}

/** Whether a text names this folder or something in it, and not one whose name only begins like it. */
function names(text: string, folder: string): boolean {
  return text
    .split(folder)
    .slice(1)
    .some((rest) => !/^[\w.-]/.test(rest));
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function targetOf(link: string): string {
  try {
    return readlinkSync(link);
  } catch {
    return '';
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
