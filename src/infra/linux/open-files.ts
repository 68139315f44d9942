import { readdirSync, readlinkSync } from 'node:fs';

import { counted } from '../values/counted.pure.ts';
import { readKernelFile } from './proc.ts';
import type { ProcessStat } from './process-identity.ts';

const MOST_PROCESSES = 64;
const MOST_FILES = 256;

/**
 * What processes are doing and which files they have open, for a person: state, kernel function in
 * which they wait, memory, and for each file its path, access and position in bytes. Only /proc is
 * read, and of it only what answers although a file system hangs or a process is stuck in the kernel.
 */
export function describeProcesses(processes: readonly ProcessStat[]): string {
  const shown = processes.slice(0, MOST_PROCESSES).map(describe);
  const more = processes.length - shown.length;
  return (
    shown.join('\n') + (more > 0 ? `\n(${counted(more, 'more process', 'more processes')})\n` : '')
  );
}

function describe({ pid, parent, state }: ProcessStat): string {
  const status = readKernelFile(`/proc/${pid}/status`) ?? '';
  const field = (name: string) => new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(status)?.[1] ?? '?';
  const where = (readKernelFile(`/proc/${pid}/wchan`) ?? '').trim();
  const waits = where === '' || where === '0' ? '' : `, waits in ${where}`;
  const title =
    `process ${pid} (${field('Name')}), child of ${parent}: state ${state}${waits}, ` +
    `${counted(Number(field('Threads')), 'thread')}, ${field('VmRSS')} resident`;
  const files = openFiles(pid);
  const lines = files.slice(0, MOST_FILES).map((line) => `  ${line}`);
  if (files.length > MOST_FILES)
    lines.push(`  (${counted(files.length - MOST_FILES, 'more file')})`);
  return `${title}\n${lines.join('\n')}\n`;
}

function openFiles(pid: number): string[] {
  let descriptors: string[];
  try {
    descriptors = readdirSync(`/proc/${pid}/fd`);
  } catch {
    return ['its files cannot be read: it is gone, or belongs to another user'];
  }
  return descriptors.flatMap((descriptor) => {
    try {
      const path = readlinkSync(`/proc/${pid}/fd/${descriptor}`);
      const info = readKernelFile(`/proc/${pid}/fdinfo/${descriptor}`) ?? '';
      const position = /^pos:\s*(\d+)$/m.exec(info)?.[1] ?? '?';
      const flags = Number.parseInt(/^flags:\s*([0-7]+)$/m.exec(info)?.[1] ?? '0', 8);
      return [`${descriptor.padStart(4)} ${access(flags)} at ${position} ${path}`];
    } catch {
      return []; // Closed meanwhile.
    }
  });
}

/** The access mode of open(2): the lowest two bits. */
function access(flags: number): string {
  return ['r ', 'w ', 'rw', '- '][flags & 3] ?? '? ';
}

/** Processes that have files below a folder open, as far as this user may see. */
export function processesWithOpen(folder: string): number[] {
  const below = `${folder}/`;
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => openPaths(pid).some((path) => path === folder || path.startsWith(below)));
}

function openPaths(pid: number): string[] {
  let descriptors: string[];
  try {
    descriptors = readdirSync(`/proc/${pid}/fd`);
  } catch {
    return [];
  }
  return descriptors.flatMap((descriptor) => {
    try {
      return [readlinkSync(`/proc/${pid}/fd/${descriptor}`)];
    } catch {
      return [];
    }
  });
}
