import { proximityOf, type Holder, type Proximity } from './holder.pure.ts';

/** What a host's document says of the manager that wrote it. */
export interface HostNamed {
  /** Null: its release does not say, or no manager holds the name. */
  holder: Holder | null;
  pid: number | null;
  /** Of the last write, the server's. */
  time: Date;
}

/** The manager that a host's document names, from the point of view of another one of that name. */
export type Elder =
  /** Nobody, this manager itself, or one that has certainly ended. */
  | { kind: 'none' }
  | { kind: 'named'; holder: Holder; reach: Proximity }
  /** Of an earlier release, which does not say where it runs. */
  | { kind: 'unnamed'; pid: number };

/** Managers write their host's document at least once a minute: older, it is silent already, seconds. */
const SILENT_SECONDS = 180;

/**
 * Who may be alive under this name. A manager with this one's state folder is not: that folder's lock
 * is held here. Nor is one that has written nothing for minutes by the server's clock, which wrote both times.
 */
export function elderOf(
  document: HostNamed | null,
  self: Pick<Holder, 'instance' | 'state_folder' | 'boot_id' | 'pid_namespace'>,
  now: Date,
): Elder {
  if (document === null) return { kind: 'none' };
  const { holder, pid, time } = document;
  if ((now.getTime() - time.getTime()) / 1000 > SILENT_SECONDS) return { kind: 'none' };
  if (holder === null) return pid === null ? { kind: 'none' } : { kind: 'unnamed', pid };
  if (holder.instance === self.instance || holder.state_folder === self.state_folder) {
    return { kind: 'none' };
  }
  return { kind: 'named', holder, reach: proximityOf(holder, self) };
}

/** Why a manager does not start, or ends, beside another one of its name that lives. */
export function nameTaken(host: string, elder: Exclude<Elder, { kind: 'none' }>): string {
  if (elder.kind === 'unnamed') {
    return `another manager calls itself ${host} (pid ${elder.pid}, of release 0.1.0, somewhere): it was seen to write to the databases just now. Stop it there, or give this host another name (BOOTSTRAX_HOST)`;
  }
  const { machine, pid, state_dir: stateDir } = elder.holder;
  const where = `pid ${pid} on ${machine}, state folder ${stateDir}`;
  switch (elder.reach) {
    case 'same_processes':
      return `another manager of ${host} runs on this machine (${where}), does not end when asked, and this user cannot end it: stop it as its own user`;
    case 'same_machine':
      return `another manager of ${host} runs on this machine (${where}) in another pid name space (a container?) and does not end when asked: stop it there`;
    case 'other_machine':
      return `another machine holds the name ${host} (${where}): its manager was seen to write to the databases just now. Stop it there, or give this host a name of its own (BOOTSTRAX_HOST)`;
  }
}
