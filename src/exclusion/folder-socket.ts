import { chmodSync, rmSync } from 'node:fs';
import type { Server } from 'node:net';
import { join } from 'node:path';

import { type SocketPath, socketPath } from '../infra/linux/socket-path.ts';
import type { ControlResponse, WireRequest } from './control.ts';
import { ask, type ControlHandlers, controlServer, ensureToken, readToken } from './control.ts';
import { ManagerRefused } from './exclusion-refusal.ts';

const SOCKET_FILE = 'control.sock';
const TOKEN_FILE = 'control-token';

/** Socket of the manager of a state folder: reachable from every network name space. */
export function socketOf(stateDir: string): string {
  return join(stateDir, SOCKET_FILE);
}

/**
 * Listens in a state folder whose lock this process has. Only the manager's user may connect, and
 * has to know the folder's token.
 */
export async function listenInFolder(
  stateDir: string,
  handlers: Omit<ControlHandlers, 'token'>,
): Promise<{ close(): Promise<void> }> {
  const server = controlServer({ ...handlers, token: ensureToken(join(stateDir, TOKEN_FILE)) });
  const way = socketPath(stateDir, SOCKET_FILE);
  // The manager that left the socket has ended: the lock is ours.
  rmSync(way.path, { force: true });
  try {
    await listening(server, way.path);
  } catch (error) {
    way.close();
    throw new ManagerRefused(
      `the control socket ${socketOf(stateDir)} cannot be made (${String(error)}): choose a state folder on a local disk (BOOTSTRAX_STATE_DIR)`,
      { cause: error },
    );
  }
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          way.close();
          resolve();
        });
      }),
  };
}

/** Sends a request to the manager of a state folder; `no manager` if none listens there. Throws after the timeout. */
export async function askFolder(
  stateDir: string,
  request: WireRequest,
  timeoutSeconds: number,
): Promise<ControlResponse | 'no manager'> {
  let way: SocketPath;
  try {
    way = socketPath(stateDir, SOCKET_FILE);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'no manager';
    throw error;
  }
  try {
    const token = () => readToken(join(stateDir, TOKEN_FILE)) ?? '';
    return await ask(way.path, token, request, timeoutSeconds);
  } finally {
    way.close();
  }
}

function listening(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    // Also later: a connection that cannot be accepted is not the end of the manager.
    server.on('error', reject);
    server.listen({ path }, resolve);
    // The socket is bound already; no connection is accepted before this turn of the event loop ends.
    try {
      chmodSync(path, 0o600);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  });
}
