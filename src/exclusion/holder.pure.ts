import { z } from 'zod';

import type { ProcessIdentity } from '../infra/linux/process-identity.pure.ts';

/**
 * The manager that holds a host's name or a state folder, as it says itself: in the folder's lock
 * file and, as `holder`, in the host's document. Names as in documents.
 */
export const holderSchema = z.object({
  /** Made anew at each start of a manager. */
  instance: z.string().regex(/^[0-9a-f]{24}$/),
  host: z.string(),
  /** Absolute path of its state folder, and the folder's own id. */
  state_dir: z.string().startsWith('/'),
  state_folder: z.string(),
  pid: z.int().positive(),
  start_ticks: z.int().nonnegative(),
  boot_id: z.string(),
  /** Process ids mean something only within it. */
  pid_namespace: z.string(),
  /** The kernel's name of its machine, for people. */
  machine: z.string(),
});
export type Holder = z.infer<typeof holderSchema>;

/** The holder of a state folder, with the database that it works on. */
export const folderHolderSchema = holderSchema.extend({
  runs_database: z.string(),
  /** Of its servers as its URL spells them. */
  servers_hash: z.string(),
});
export type FolderHolder = z.infer<typeof folderHolderSchema>;

/** Null: not written by a manager that says who it is. */
export function readHolder(value: unknown): Holder | null {
  return holderSchema.safeParse(value).data ?? null;
}

export function processOf(holder: Holder): ProcessIdentity {
  return { pid: holder.pid, startTicks: holder.start_ticks, bootId: holder.boot_id };
}

/** For people: which process on which machine. */
export function holderInWords({ pid, machine, state_dir: stateDir }: Holder): string {
  return `pid ${pid} on ${machine}, state folder ${stateDir}`;
}

/** How far this manager can reach another one. */
export type Proximity =
  /** Its process can be seen, and ended. */
  | 'same_processes'
  /** Same machine, but its process id means nothing here: it can only be asked. */
  | 'same_machine'
  | 'other_machine';

export function proximityOf(
  other: Pick<Holder, 'boot_id' | 'pid_namespace'>,
  self: Pick<Holder, 'boot_id' | 'pid_namespace'>,
): Proximity {
  if (other.boot_id !== self.boot_id) return 'other_machine';
  return other.pid_namespace === self.pid_namespace ? 'same_processes' : 'same_machine';
}

/** What permits the younger manager to replace the one that holds its state folder. */
export type FolderClaim =
  | { kind: 'replace' }
  /** Only if it is proved that both work on one database: servers have many spellings. */
  | { kind: 'replace_if_same_database' }
  | { kind: 'refused'; reason: string };

export function claimOfFolder(
  elder: FolderHolder,
  self: Pick<FolderHolder, 'host' | 'runs_database' | 'servers_hash' | 'boot_id' | 'pid_namespace'>,
): FolderClaim {
  const refused = (why: string, todo: string): FolderClaim => ({
    kind: 'refused',
    reason: `the state folder ${elder.state_dir} is in use by the manager of ${elder.host} (pid ${elder.pid} on ${elder.machine}, runs database ${elder.runs_database}), ${why}: ${todo}`,
  });
  const ownFolder = 'give this one a state folder of its own (BOOTSTRAX_STATE_DIR)';
  if (elder.host !== self.host) return refused('another host', ownFolder);
  if (elder.runs_database !== self.runs_database) {
    return refused('which works on another database', ownFolder);
  }
  if (proximityOf(elder, self) === 'other_machine') {
    return refused('on another machine', `end that one first, or ${ownFolder}`);
  }
  const spelledAlike = elder.servers_hash === self.servers_hash;
  return { kind: spelledAlike ? 'replace' : 'replace_if_same_database' };
}
