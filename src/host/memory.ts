import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { readKernelFile } from '../infra/linux/proc.ts';
import type { MemoryCapacity } from './memory.pure.ts';

const CONTROL_GROUPS = '/sys/fs/cgroup';

/**
 * Memory that processes of this manager can have: that of the machine, or of the narrowest control
 * group around the manager, bytes. `available` counts what the kernel would give back of its caches.
 */
export function memoryCapacity(): MemoryCapacity {
  const machine = machineMemory(readFileSync('/proc/meminfo', 'utf8'));
  let { totalBytes, availableBytes } = machine;
  for (const group of memoryGroups(readKernelFile('/proc/self/cgroup') ?? '')) {
    const limits = groupMemory((file) => readKernelFile(join(group, file)));
    // A group without a limit of its own names one that is larger than any machine.
    if (limits === null || limits.totalBytes >= machine.totalBytes) continue;
    totalBytes = Math.min(totalBytes, limits.totalBytes);
    availableBytes = Math.min(availableBytes, limits.availableBytes);
  }
  return { totalBytes, availableBytes };
}

/** From the text of /proc/meminfo. */
export function machineMemory(text: string): MemoryCapacity {
  const bytes = (name: string) =>
    Number(new RegExp(`^${name}: +(\\d+) kB$`, 'm').exec(text)?.[1] ?? Number.NaN) * 1024;
  const totalBytes = bytes('MemTotal');
  const availableBytes = bytes('MemAvailable');
  if (!(totalBytes > 0) || Number.isNaN(availableBytes)) {
    throw new Error('/proc/meminfo lacks MemTotal or MemAvailable');
  }
  return { totalBytes, availableBytes };
}

/** Folders of the memory control groups around a process, innermost first, from /proc/PID/cgroup. */
export function memoryGroups(text: string): string[] {
  const folders: string[] = [];
  for (const line of text.split('\n')) {
    const [, controllers, path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (controllers === undefined || path === undefined) continue;
    if (controllers !== '' && !controllers.split(',').includes('memory')) continue;
    const root = controllers === '' ? CONTROL_GROUPS : join(CONTROL_GROUPS, 'memory');
    const parts = path.split('/').filter((part) => part !== '');
    for (let depth = parts.length; depth >= 0; depth--) {
      folders.push(join(root, ...parts.slice(0, depth)));
    }
  }
  return folders;
}

/**
 * Limit and what is left of one memory control group, of version 1 or 2; null where there is no
 * limit. `read` gives the text of a file of the group.
 */
export function groupMemory(read: (file: string) => string | null): MemoryCapacity | null {
  const limit = Number(read('memory.max') ?? read('memory.limit_in_bytes') ?? Number.NaN);
  const used = Number(read('memory.current') ?? read('memory.usage_in_bytes') ?? Number.NaN);
  if (Number.isNaN(limit) || Number.isNaN(used)) return null;
  const statistics = read('memory.stat') ?? '';
  const bytes = (name: string) =>
    Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(statistics)?.[1] ?? Number.NaN);
  // Version 1 counts the groups below under names of their own. Files that are in use are given back
  // as well before anything is killed.
  const cached = ['active_file', 'inactive_file'].map((name) => {
    const withBelow = bytes(`total_${name}`);
    return Number.isNaN(withBelow) ? bytes(name) : withBelow;
  });
  const reclaimable = cached.reduce((sum, size) => sum + (Number.isNaN(size) ? 0 : size), 0);
  return { totalBytes: limit, availableBytes: Math.max(0, limit - used + reclaimable) };
}
