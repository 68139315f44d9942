import { spawn } from 'node:child_process';
import { randomInt, randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { MongoClient } from 'mongodb';
import { z } from 'zod';

import { monotonicMs, systemClock } from '../../clock/clock.ts';
import { comesTrue } from '../../concurrency/comes-true.ts';
import { type ProcessIdentity, processIdentitySchema } from '../../linux/process-identity.pure.ts';
import { StoreError } from '../store-error.ts';
import { identify, isAlive, signal, withArguments } from './embedded-process.ts';

const LOOPBACK = '127.0.0.1';
const PORTS = { from: 20_000, to: 32_000 };
const PORT_TRIES = 100;
const PORT_SECONDS = 3;
const READY_SECONDS = 60;
const TERM_SECONDS = 15;
const KILL_SECONDS = 5;
const POLL_MS = 50;
/** Small: the documents in use at any time are few. */
const CACHE_SIZE = '256M';

export interface EmbeddedOptions {
  /** Python interpreter of the environment that SecantusDB is installed in. */
  python: string;
  /** Data goes to `db/data` below it, the server's log to `db/log.txt`. */
  stateDir: string;
  /** Null: the port it had last, if free, else any free one. */
  port: number | null;
  /** The server's test-only commands (fail points). Tests only. */
  testCommands?: boolean;
}

export interface EmbeddedServer {
  url: string;
  identity: ProcessIdentity;
  dataDirectory: string;
}

/** `db.json` */
const recordSchema = processIdentitySchema.extend({ version: z.literal(1), url: z.string() });
type ServerRecord = z.infer<typeof recordSchema>;

/** The running server of this state folder, or null. Does not start one. */
export async function findEmbedded(stateDir: string): Promise<EmbeddedServer | null> {
  const record = await readRecord(stateDir);
  return record !== null && isAlive(record)
    ? asServer(stateDir, record.url, record)
    : findUnrecorded(stateDir, null);
}

/** A server whose starter died before it could write the record, or that another process starts just now. */
function findUnrecorded(stateDir: string, exceptPid: number | null): EmbeddedServer | null {
  const servers = withArguments('--storage-path', dataDirectory(stateDir));
  for (const { pid, arguments: line } of servers) {
    const identity = pid === exceptPid ? null : identify(pid);
    const port = line[line.indexOf('--port') + 1];
    if (identity !== null) return asServer(stateDir, `mongodb://${LOOPBACK}:${port}/`, identity);
  }
  return null;
}

/**
 * Finds the running server or starts one, in a session of its own so that it outlives the
 * process that started it. Returns when it answers.
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedServer> {
  const running = await findEmbedded(options.stateDir);
  if (running !== null) {
    if (options.port !== null && portOf(running.url) !== options.port) {
      throw new StoreError(
        'refused',
        `the embedded database of ${options.stateDir} already runs at ${running.url}: stop it first to use port ${options.port}`,
      );
    }
    return ready(options.stateDir, running);
  }
  const started = await launch(options);
  try {
    return await ready(options.stateDir, started);
  } catch (error) {
    // Two starts at once: the data directory belongs to the first.
    const other = findUnrecorded(options.stateDir, started.identity.pid);
    if (other === null) throw error;
    return ready(options.stateDir, other);
  }
}

async function ready(stateDir: string, server: EmbeddedServer): Promise<EmbeddedServer> {
  await untilReady(stateDir, server);
  await writeRecord(stateDir, { version: 1, url: server.url, ...server.identity });
  return server;
}

/** Stops the server and waits until it is gone; false if none was running. Signals no other process. */
export async function stopEmbedded(stateDir: string): Promise<boolean> {
  const running = await findEmbedded(stateDir);
  if (running === null) return false;
  signal(running.identity, 'SIGTERM');
  if (await gone(running.identity, TERM_SECONDS)) return true;
  signal(running.identity, 'SIGKILL');
  if (await gone(running.identity, KILL_SECONDS)) return true;
  throw new StoreError(
    'unreachable',
    `the embedded database (process ${running.identity.pid}) does not stop`,
  );
}

async function launch(options: EmbeddedOptions): Promise<EmbeddedServer> {
  const { stateDir } = options;
  await mkdir(dataDirectory(stateDir), { recursive: true });
  const last = await readRecord(stateDir);
  const port = options.port ?? (await freePort(last === null ? null : portOf(last.url)));
  // Naming one keeps the server from reading a stray configuration of the user's.
  const settings = join(stateDir, 'db', 'secantusd.toml');
  await writeFile(settings, '');
  const log = await open(logFile(stateDir), 'a', 0o600);
  try {
    const child = spawn(
      // A path is relative to where we are, not to where the server will be.
      options.python.includes('/') ? resolve(options.python) : options.python,
      [
        ...[
          '-m',
          'secantus',
          '--config',
          resolve(settings),
          '--host',
          LOOPBACK,
          '--port',
          String(port),
        ],
        ...['--storage-path', dataDirectory(stateDir), '--cache-size', CACHE_SIZE],
        // An acknowledged write survives a power cut.
        '--sync-on-commit',
        ...['--log-level', 'WARNING'],
        ...(options.testCommands ? ['--enable-test-commands'] : []),
      ],
      { cwd: stateDir, detached: true, stdio: ['ignore', log.fd, log.fd] },
    );
    const failure = new Promise<never>((_, reject) => child.once('error', reject));
    const spawned = new Promise<void>((done) => child.once('spawn', done));
    await Promise.race([spawned, failure]).catch((error: unknown) => {
      throw new StoreError(
        'unreachable',
        `the embedded database cannot be started with ${options.python}: ${(error as Error).message}`,
      );
    });
    child.unref();
    const identity = identify(child.pid!);
    if (identity === null) throw await diedAtOnce(stateDir);
    return asServer(stateDir, `mongodb://${LOOPBACK}:${port}/`, identity);
  } finally {
    await log.close();
  }
}

async function untilReady(stateDir: string, server: EmbeddedServer): Promise<void> {
  const deadline = monotonicMs(systemClock) + READY_SECONDS * 1000;
  while (monotonicMs(systemClock) < deadline) {
    if (!isAlive(server.identity)) throw await diedAtOnce(stateDir);
    if (await answers(server.url)) return;
    await systemClock.sleep(POLL_MS / 1000);
  }
  throw new StoreError(
    'unreachable',
    `the embedded database does not answer at ${server.url}: see ${logFile(stateDir)}`,
  );
}

async function answers(url: string): Promise<boolean> {
  const client = new MongoClient(url, {
    directConnection: true,
    serverSelectionTimeoutMS: 500,
    connectTimeoutMS: 500,
    socketTimeoutMS: 2000,
  });
  try {
    await client.db('admin').command({ ping: 1 });
    return true;
  } catch {
    return false;
  } finally {
    await client.close();
  }
}

async function diedAtOnce(stateDir: string): Promise<StoreError> {
  const log = await readFile(logFile(stateDir), 'utf8').catch(() => '');
  const tail = log.trim().split('\n').slice(-5).join('\n');
  return new StoreError(
    'unreachable',
    `the embedded database ended at its start; the end of ${logFile(stateDir)}:\n${tail}`,
  );
}

function gone(identity: ProcessIdentity, withinSeconds: number): Promise<boolean> {
  const checks = { withinSeconds, everySeconds: POLL_MS / 1000 };
  return comesTrue(systemClock, checks, () => !isAlive(identity));
}

/**
 * The preferred port if it is free, else another. Below the range from which the kernel takes ports
 * for outgoing connections, so that the port is free when the server comes back.
 */
async function freePort(preferred: number | null): Promise<number> {
  // Threads of a killed server may hold its port for a moment after its end.
  const deadline = monotonicMs(systemClock) + PORT_SECONDS * 1000;
  while (preferred !== null && monotonicMs(systemClock) < deadline) {
    if (await isFree(preferred)) return preferred;
    await systemClock.sleep(POLL_MS / 1000);
  }
  for (let i = 0; i < PORT_TRIES; i++) {
    const port = randomInt(PORTS.from, PORTS.to);
    if (await isFree(port)) return port;
  }
  throw new StoreError('unreachable', `no free port on ${LOOPBACK}`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((found) => {
    const probe = createServer();
    probe.once('error', () => found(false));
    probe.listen(port, LOOPBACK, () => probe.close(() => found(true)));
  });
}

async function readRecord(stateDir: string): Promise<ServerRecord | null> {
  let text: string;
  try {
    text = await readFile(recordFile(stateDir), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  try {
    return recordSchema.parse(JSON.parse(text));
  } catch {
    throw new StoreError(
      'refused',
      `${recordFile(stateDir)} is not a record of the embedded database: stop the server by hand and remove the file`,
    );
  }
}

async function writeRecord(stateDir: string, record: ServerRecord): Promise<void> {
  const path = recordFile(stateDir);
  const temporary = `${path}.${randomUUID()}.tmp`;
  const file = await open(temporary, 'w', 0o600);
  try {
    await file.writeFile(JSON.stringify(record) + '\n');
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path).catch(async (error: unknown) => {
    await rm(temporary, { force: true });
    throw error;
  });
  const directory = await open(join(stateDir, 'db'), 'r');
  await directory.sync().finally(() => directory.close());
}

function asServer(stateDir: string, url: string, identity: ProcessIdentity): EmbeddedServer {
  const { pid, startTicks, bootId } = identity;
  return { url, identity: { pid, startTicks, bootId }, dataDirectory: dataDirectory(stateDir) };
}

function portOf(url: string): number {
  return Number(new URL(url).port);
}

const dataDirectory = (stateDir: string) => resolve(stateDir, 'db', 'data');
const logFile = (stateDir: string) => join(stateDir, 'db', 'log.txt');
const recordFile = (stateDir: string) => join(stateDir, 'db', 'db.json');
