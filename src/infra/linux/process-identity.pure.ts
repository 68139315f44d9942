import { z } from 'zod';

/** A process is identified by all three: a bare pid may belong to any other process. */
export const processIdentitySchema = z.looseObject({
  pid: z.int().positive(),
  /** Field 22 of /proc/PID/stat: start time in clock ticks since boot. */
  startTicks: z.int().nonnegative(),
  /** /proc/sys/kernel/random/boot_id */
  bootId: z.string(),
});
export type ProcessIdentity = z.infer<typeof processIdentitySchema>;

/** Name of a file or folder that belongs to a process: `identity.name_of` of the Python worker. */
export function nameOfProcess({ bootId, pid, startTicks }: ProcessIdentity): string {
  return `${bootId}_${pid}_${startTicks}`;
}

/** The process that a name made by `nameOfProcess` belongs to; null if it is no such name. */
export function processOfName(name: string): ProcessIdentity | null {
  const [, bootId, pid, startTicks] = /^([0-9a-f-]+)_([1-9]\d*)_(\d+)$/.exec(name) ?? [];
  if (bootId === undefined) return null;
  return { bootId, pid: Number(pid), startTicks: Number(startTicks) };
}
