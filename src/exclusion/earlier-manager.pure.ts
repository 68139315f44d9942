import { type Holder, type Proximity, proximityOf } from './holder.pure.ts';

/** The manager that wrote a host's document, as the document names it. */
export interface HostNamed {
  /** Null: written by release 0.1.0, or no manager holds the name. */
  holder: Holder | null;
  pid: number | null;
  /** Time of the last write, by the server's clock. */
  time: Date;
}

/** The manager that a host's document names, as seen by another manager of that name. */
export type EarlierManager =
  /** None, this manager itself, or one that has certainly ended. */
  | { kind: 'none' }
  | { kind: 'named'; holder: Holder; proximity: Proximity }
  /** A manager of release 0.1.0, which does not say where it runs. */
  | { kind: 'unnamed'; pid: number };

/** Managers write their host's document at least once a minute; after this time they are silent. */
const SILENT_SECONDS = 180;

/**
 * The manager that may still run under this name. One with the same state folder does not: this manager
 * holds that folder's lock. Nor does one that has written nothing for minutes by the server's clock.
 */
export function earlierManagerOf(
  document: HostNamed | null,
  self: Pick<Holder, 'instance' | 'state_folder' | 'boot_id' | 'pid_namespace'>,
  now: Date,
): EarlierManager {
  if (document === null) return { kind: 'none' };
  const { holder, pid, time } = document;
  if ((now.getTime() - time.getTime()) / 1000 > SILENT_SECONDS) return { kind: 'none' };
  if (holder === null) return pid === null ? { kind: 'none' } : { kind: 'unnamed', pid };
  if (holder.instance === self.instance || holder.state_folder === self.state_folder) {
    return { kind: 'none' };
  }
  return { kind: 'named', holder, proximity: proximityOf(holder, self) };
}

/** Why a manager does not start, or ends: another one of its name runs. */
export function nameTaken(
  host: string,
  earlier: Exclude<EarlierManager, { kind: 'none' }>,
): string {
  if (earlier.kind === 'unnamed') {
    return `another manager calls itself ${host} (pid ${earlier.pid}, of release 0.1.0, on an unknown machine): it wrote to the databases just now. Stop it there, or give this host another name (BOOTSTRAX_HOST)`;
  }
  const { machine, pid, state_dir: stateDir } = earlier.holder;
  const where = `pid ${pid} on ${machine}, state folder ${stateDir}`;
  switch (earlier.proximity) {
    case 'same_processes':
      return `another manager of ${host} runs on this machine (${where}), did not stop when asked, and this user may not kill it: stop it as its own user`;
    case 'same_machine':
      return `another manager of ${host} runs on this machine (${where}) in another pid name space (a container?) and did not stop when asked: stop it there`;
    case 'other_machine':
      return `another machine holds the name ${host} (${where}): its manager wrote to the databases just now. Stop it there, or give this host a name of its own (BOOTSTRAX_HOST)`;
  }
}
