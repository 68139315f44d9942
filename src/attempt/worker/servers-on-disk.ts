import { readdirSync, readlinkSync, realpathSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';

import { remove } from '../../infra/disk/durable.ts';
import { type ProcessIdentity,processOfName } from '../../infra/linux/process-identity.pure.ts';
import { isAlive } from '../../infra/linux/process-identity.ts';
import { type SocketPath,socketPath } from '../../infra/linux/socket-path.ts';
import { ServerLink } from './server-link.ts';

/** A fork server that runs, as its folder shows it (`bootstrax_worker/server_folder.py`). */
export interface ServerOnDisk {
  identity: ProcessIdentity;
  folder: string;
  /** Not yet ready; takes attempts; takes none any more and ends once idle. */
  state: 'starting' | 'ready' | 'retired';
}

/** The fork servers of a state folder that run, youngest first. */
export function serversOnDisk(directory: string): ServerOnDisk[] {
  return namesIn(directory)
    .flatMap((name): ServerOnDisk[] => {
      const identity = processOfName(name);
      const folder = join(directory, name);
      if (identity === null || !isAlive(identity) || keepsOpen(identity, folder) !== true) return [];
      return [{ identity, folder, state: stateOf(namesIn(folder)) }];
    })
    .sort((a, b) => b.identity.startTicks - a.identity.startTicks);
}

function stateOf(files: readonly string[]): ServerOnDisk['state'] {
  if (files.includes('socket')) return 'ready';
  return files.includes('retired') ? 'retired' : 'starting';
}

/** Removes what is left of servers that are gone, or was copied from another state folder. */
export async function clearDeadServers(directory: string): Promise<void> {
  for (const name of namesIn(directory)) {
    const identity = processOfName(name);
    const folder = join(directory, name);
    if (identity === null || (isAlive(identity) && keepsOpen(identity, folder) !== false)) continue;
    await remove('worker-folder.clear', folder);
  }
}

/** Null if nobody listens there. */
export function connectTo({ folder }: ServerOnDisk): Promise<ServerLink | null> {
  return new Promise((resolve) => {
    let way: SocketPath;
    try {
      way = socketPath(folder, 'socket');
    } catch {
      resolve(null);
      return;
    }
    const { path } = way;
    const close = () => way.close();
    const socket = connect({ path });
    socket.once('connect', () => {
      close();
      resolve(new ServerLink(socket));
    });
    socket.once('error', () => {
      close();
      resolve(null);
    });
  });
}

/** Null: it is another user's, or has just ended. */
function keepsOpen({ pid }: ProcessIdentity, folder: string): boolean | null {
  try {
    const path = realpathSync(folder);
    const descriptors = `/proc/${pid}/fd`;
    return readdirSync(descriptors).some((name) => linkOf(join(descriptors, name)) === path);
  } catch {
    return null;
  }
}

function linkOf(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch {
    return null;
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
