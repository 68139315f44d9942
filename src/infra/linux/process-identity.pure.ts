import { z } from 'zod';

/** A process is identified by all three: a bare pid may belong to anybody. */
export const processIdentitySchema = z.looseObject({
  pid: z.int().positive(),
  /** Field 22 of /proc/PID/stat: start time in clock ticks since boot. */
  startTicks: z.int().nonnegative(),
  /** /proc/sys/kernel/random/boot_id */
  bootId: z.string(),
});
export type ProcessIdentity = z.infer<typeof processIdentitySchema>;
