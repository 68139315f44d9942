import { z } from 'zod';

import type { ProcessIdentity } from '../infra/linux/process-identity.pure.ts';

/**
 * The manager that holds a host's name or a state folder. It writes this itself, into the folder's
 * lock file and, as `holder`, into the host's document. Field names are those of the documents.
 */
export const holderSchema = z.object({
  /** Made anew at each start of a manager. */
  instance: z.string().regex(/^[0-9a-f]{24}$/),
  host: z.string(),
  /** Absolute path of its state folder; the folder's own id. */
  state_dir: z.string().startsWith('/'),
  state_folder: z.string(),
  pid: z.int().positive(),
  start_ticks: z.int().nonnegative(),
  boot_id: z.string(),
  /** Process ids are valid only within this name space. */
  pid_namespace: z.string(),
  /** Name of its machine, from the kernel, for people. */
  machine: z.string(),
});
export type Holder = z.infer<typeof holderSchema>;

/** The holder of a state folder, with its runs database. */
export const folderHolderSchema = holderSchema.extend({
  runs_database: z.string(),
  /** Hash of the servers as the URL of this manager spells them. */
  servers_hash: z.string(),
});
export type FolderHolder = z.infer<typeof folderHolderSchema>;

/** Null: no holder is written there, or none that can be read. */
export function readHolder(value: unknown): Holder | null {
  return holderSchema.safeParse(value).data ?? null;
}

export function processOf(holder: Holder): ProcessIdentity {
  return { pid: holder.pid, startTicks: holder.start_ticks, bootId: holder.boot_id };
}

/** How close another manager runs to this one, which decides how it can be stopped. */
export type Proximity =
  /** Its process can be seen and killed. */
  | 'same_processes'
  /** Same machine, but its process id is not valid here: it can only be asked to stop. */
  | 'same_machine'
  | 'other_machine';

export function proximityOf(
  other: Pick<Holder, 'boot_id' | 'pid_namespace'>,
  self: Pick<Holder, 'boot_id' | 'pid_namespace'>,
): Proximity {
  if (other.boot_id !== self.boot_id) return 'other_machine';
  return other.pid_namespace === self.pid_namespace ? 'same_processes' : 'same_machine';
}

/** Whether a new manager may replace the earlier one that holds its state folder. */
export type FolderClaim =
  | { kind: 'replace' }
  /** Only if both provably use one database: its servers may be spelled in several ways. */
  | { kind: 'replace_if_same_database' }
  | { kind: 'refused'; reason: string };

export function claimOfFolder(
  earlier: FolderHolder,
  self: Pick<FolderHolder, 'host' | 'runs_database' | 'servers_hash' | 'boot_id' | 'pid_namespace'>,
): FolderClaim {
  const refused = (why: string, todo: string): FolderClaim => ({
    kind: 'refused',
    reason: `the state folder ${earlier.state_dir} is in use by the manager of ${earlier.host} (pid ${earlier.pid} on ${earlier.machine}, runs database ${earlier.runs_database}), ${why}: ${todo}`,
  });
  const ownFolder = 'give this one a state folder of its own (BOOTSTRAX_STATE_DIR)';
  if (earlier.host !== self.host) return refused('another host', ownFolder);
  if (earlier.runs_database !== self.runs_database) {
    return refused('which uses another database', ownFolder);
  }
  if (proximityOf(earlier, self) === 'other_machine') {
    return refused('on another machine', `stop that one first, or ${ownFolder}`);
  }
  const spelledAlike = earlier.servers_hash === self.servers_hash;
  return { kind: spelledAlike ? 'replace' : 'replace_if_same_database' };
}
