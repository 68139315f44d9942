import { createHash } from 'node:crypto';
import type { Server } from 'node:net';
import { join } from 'node:path';

import { monotonicMs, systemClock } from '../infra/clock/clock.ts';
import type { ProcessIdentity } from '../infra/linux/process-identity.pure.ts';
import { bootId, isAlive } from '../infra/linux/process-identity.ts';
import { ownerOfAbstractSocket } from '../infra/linux/socket-owner.ts';
import {
  ask,
  type ControlRequest,
  type ControlResponse,
  controlServer,
  ensureToken,
  readToken,
} from './control.ts';
import { readFolderHolder } from './folder-lock.ts';
import { askFolder } from './folder-socket.ts';
import type { FolderHolder } from './holder.pure.ts';

export type { ControlRequest, ControlResponse } from './control.ts';

/** Only one manager with this key may run on a machine. */
export interface MachineKey {
  host: string;
  runsDatabase: string;
  /** Hash of the servers as the URL spells them. */
  serversHash: string;
  stateDir: string;
  /** Name of the abstract socket, without its leading NUL. */
  socketName: string;
  /** Readable by the manager's user only: proves that a request comes from that user. */
  tokenFile: string;
}

export interface LockOptions {
  /** Carries out requests of `askManager`; an exception becomes `ok: false` with its message. */
  onControl: (request: ControlRequest) => Promise<ControlResponse>;
  /** Another manager wants the lock: end this process at once; the children go on. */
  onEnd: () => void;
  /** How long the holder may take to end before it is killed, seconds; 3. */
  graceSeconds?: number;
}

export interface MachineLock {
  /** The manager that was stopped for this lock, if there was one. */
  replaced: { holder: ProcessIdentity | null; how: 'ended' | 'killed' } | null;
  /** Releases the lock; the end of the process does so too. */
  release(): Promise<void>;
}

/** Longest name that the kernel allows, without the leading NUL. */
const SOCKET_NAME_LENGTH = 107;
const RETRY_SECONDS = 0.02;
/** Other threads of a process keep its lock this long after the main thread has ended. */
const LINGER_SECONDS = 0.5;
/** How long the lock of a killed process may take to become free. */
const KILL_LIMIT_SECONDS = 5;
/** Several managers started at once stop one another; the last one stays. */
const MAX_ROUNDS = 10;

/**
 * The key of a manager: host and runs database. Account and options of the connection do not count.
 */
export function machineKey({
  host,
  runsUrl,
  runsDatabase,
  stateDir,
}: {
  host: string;
  /** Connection string; credentials, options and the order of its hosts do not count. */
  runsUrl: string;
  runsDatabase: string;
  stateDir: string;
}): MachineKey {
  const servers = serversOf(runsUrl);
  const hash = hashOf([host, servers, runsDatabase]);
  return {
    host,
    runsDatabase,
    serversHash: hashOf(servers),
    stateDir,
    // Releases of Node differ in whether they fill a shorter name up with NUL bytes, which makes it
    // another name. The hash alone tells the keys apart.
    socketName: `bootstrax/${host.replace(/[^\w.-]/g, '_').slice(0, 60)}/${hash}`.padEnd(
      SOCKET_NAME_LENGTH,
      '.',
    ),
    tokenFile: join(stateDir, `control-${hash}`),
  };
}

function hashOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 16);
}

/** The servers that a connection string names, sorted: neither credentials nor options. */
export function serversOf(url: string): string[] {
  const [, srv, servers = url] = /^mongodb(\+srv)?:\/\/(?:[^/?]*@)?([^/?]*)/.exec(url) ?? [];
  const port = srv === undefined ? ':27017' : '';
  return servers
    .toLowerCase()
    .split(',')
    .map((server) => (/:\d+$/.test(server) ? server : `${server}${port}`))
    .sort();
}

/**
 * Makes this process the only manager of its key within this network name space, whatever its state
 * folder: earlier releases know no other lock. A holder is asked to end, and killed after
 * `graceSeconds`. Throws if the lock cannot be had (holder of another user).
 */
export async function acquireMachineLock(
  key: MachineKey,
  { onControl, onEnd, graceSeconds = 3 }: LockOptions,
): Promise<MachineLock> {
  const token = ensureToken(key.tokenFile);
  const tryNow = () => listen(key.socketName, controlServer({ token, onControl, onEnd }));
  let replaced: MachineLock['replaced'] = null;
  let server = await tryNow();
  for (let round = 0; server === null && round < MAX_ROUNDS; round += 1) {
    ({ server, replaced } = await takeOver(key, token, graceSeconds, tryNow));
  }
  if (server === null) {
    throw new Error(`other managers of ${key.host} keep starting: stop all but one`);
  }
  return { replaced, release: () => close(server) };
}

/** One round with the present holder; no server if a third manager took the lock meanwhile. */
async function takeOver(
  key: MachineKey,
  token: string,
  graceSeconds: number,
  tryNow: () => Promise<Server | null>,
): Promise<{ server: Server | null; replaced: MachineLock['replaced'] }> {
  const holder = ownerOfAbstractSocket(key.socketName);
  // The answer does not matter, only whether the manager ends; a suspended process answers nothing.
  const address = addressOf(key);
  const asked = ask(address, () => token, { type: 'end' }, graceSeconds).catch(() => null);
  const ended = await retry(tryNow, graceSeconds, holder);
  if (ended !== null) return { server: ended, replaced: { holder, how: 'ended' } };

  const present = ownerOfAbstractSocket(key.socketName);
  if (present === null && holder === null) {
    throw new Error(
      `another manager of ${key.host} runs on this machine and did not stop, and this user may not ` +
        `see its process: stop it as its own user, or set another BOOTSTRAX_HOST`,
    );
  }
  const same = present?.pid === holder?.pid && present?.startTicks === holder?.startTicks;
  if (present === null || !same) return { server: null, replaced: null };
  await asked;
  kill(key, present);
  const killed = await retry(tryNow, KILL_LIMIT_SECONDS, present);
  if (killed === null && isAlive(present)) {
    throw new Error(
      `the other manager of ${key.host} (pid ${present.pid}) was killed but has not ended: ` +
        `it waits for a disk or the network; see /proc/${present.pid}/stack`,
    );
  }
  return { server: killed, replaced: { holder: present, how: 'killed' } };
}

function kill(key: MachineKey, holder: ProcessIdentity): void {
  if (!isAlive(holder)) return;
  try {
    process.kill(holder.pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return;
    throw new Error(
      `another manager of ${key.host} (pid ${holder.pid}) did not stop and this user may not kill it`,
      { cause: error },
    );
  }
}

/**
 * Sends a request to the manager with this key: the one in the key's state folder, or one of an earlier
 * release. `sameDatabase` says whether a manager whose URL spells its servers otherwise uses the key's
 * database. Throws if the manager does not answer in time, or if this user may not ask it.
 */
export async function askManager(
  key: MachineKey,
  request: ControlRequest,
  timeoutSeconds: number,
  sameDatabase: (manager: FolderHolder) => Promise<boolean> = () => Promise.resolve(false),
): Promise<ControlResponse | 'no manager'> {
  const holder = readFolderHolder(key.stateDir);
  try {
    if (holder !== null && (await isOfKey(holder, key, sameDatabase))) {
      const answer = await askFolder(key.stateDir, request, timeoutSeconds);
      if (answer !== 'no manager') return answer;
    }
    const token = () => readToken(key.tokenFile) ?? '';
    return await ask(addressOf(key), token, request, timeoutSeconds);
  } catch (error) {
    const pid = ownerOfAbstractSocket(key.socketName)?.pid ?? holder?.pid;
    throw new Error(
      `cannot reach the manager of ${key.host}${pid === undefined ? '' : ` (pid ${pid})`}: ` +
        (error instanceof Error ? error.message : String(error)),
      { cause: error },
    );
  }
}

async function isOfKey(
  holder: FolderHolder,
  key: MachineKey,
  sameDatabase: (manager: FolderHolder) => Promise<boolean>,
): Promise<boolean> {
  if (holder.host !== key.host || holder.runs_database !== key.runsDatabase) return false;
  if (holder.boot_id !== bootId()) return false;
  return holder.servers_hash === key.serversHash || sameDatabase(holder);
}

function addressOf({ socketName }: MachineKey): string {
  return `\0${socketName}`;
}

/** Tries until the holder has been gone for a moment: if the lock is still taken, another manager was faster. */
async function retry(
  tryNow: () => Promise<Server | null>,
  limitSeconds: number,
  holder: ProcessIdentity | null,
): Promise<Server | null> {
  let limit = monotonicMs(systemClock) + limitSeconds * 1000;
  for (;;) {
    const server = await tryNow();
    if (server !== null || monotonicMs(systemClock) > limit) return server;
    if (holder !== null && !isAlive(holder)) {
      limit = Math.min(limit, monotonicMs(systemClock) + LINGER_SECONDS * 1000);
    }
    await systemClock.sleep(RETRY_SECONDS);
  }
}

/** The server once it listens; null if the name is taken. */
function listen(socketName: string, server: Server): Promise<Server | null> {
  return new Promise((resolve, reject) => {
    // This stays in place: a connection that cannot be accepted does not end the manager.
    server.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(null);
      else reject(error);
    });
    server.listen({ path: `\0${socketName}` }, () => {
      resolve(server);
    });
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => {
      resolve();
    });
  });
}
