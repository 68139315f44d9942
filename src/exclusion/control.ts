import { randomBytes, timingSafeEqual } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { z } from 'zod';

import { systemClock } from '../infra/clock/clock.ts';
import { TOO_LATE, within } from '../infra/concurrency/deadline.ts';

/** Requests to the running manager. */
export const controlRequestSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('process'),
    run: z.int().nonnegative(),
    /** Id of the document that is meant, where several have the number. */
    document: z.string().optional(),
    /** Absent: on this host. */
    on: z.enum(['local', 'slurm']).optional(),
  }),
  z.object({ type: z.literal('stop_children') }),
  z.object({ type: z.literal('status') }),
  /** Write the host's document now: the sender watches for that change in its database. */
  z.object({ type: z.literal('heartbeat') }),
  /** No new runs until `undrain`, also after a restart. */
  z.object({
    type: z.literal('drain'),
    reason: z.string(),
    /** When the drain ends by itself, by the database server's clock. */
    expires: z.iso.datetime().optional(),
    /** Id of the action that asked for the drain. */
    action: z.string().optional(),
  }),
  z.object({ type: z.literal('undrain') }),
  /** A request for this host has been written to the database. */
  z.object({ type: z.literal('asked') }),
  /** No new runs; once the present ones have ended, leave the host to another program. */
  z.object({ type: z.literal('hand_back'), endChildren: z.boolean() }),
]);
export type ControlRequest = z.infer<typeof controlRequestSchema>;

/** Answer to a control request; further fields depend on the request. */
export const controlResponseSchema = z.looseObject({
  ok: z.boolean(),
  /** One sentence for a person. */
  message: z.string(),
});
export type ControlResponse = z.infer<typeof controlResponseSchema>;

/** What goes over the socket, one JSON line each way, one request a connection. */
const lineSchema = z.object({
  token: z.string(),
  request: z.union([controlRequestSchema, z.object({ type: z.literal('end') })]),
});
export type WireRequest = z.infer<typeof lineSchema>['request'];

/** No request is longer; the connection of a client that sends more is closed. */
const MAX_LINE_BYTES = 64 * 1024;
/** A connected client must send its request line within this time. */
const REQUEST_LIMIT_SECONDS = 10;

export interface ControlHandlers {
  token: string;
  onControl: (request: ControlRequest) => Promise<ControlResponse>;
  onEnd: () => void;
}

/** A server for control requests; it listens nowhere yet. */
export function controlServer(handlers: ControlHandlers): Server {
  return createServer((socket) => {
    // A client that disconnects early is no error of this manager.
    socket.on('error', () => socket.destroy());
    readLine(socket, REQUEST_LIMIT_SECONDS).then(
      async (line) => {
        const { response, end } = await answer(line, handlers);
        socket.end(`${JSON.stringify(response)}\n`, () => {
          if (end) handlers.onEnd();
        });
      },
      () => socket.destroy(),
    );
  });
}

async function answer(
  line: string,
  handlers: ControlHandlers,
): Promise<{ response: ControlResponse; end: boolean }> {
  const refuse = (message: string) => ({ response: { ok: false, message }, end: false });
  let parsed: z.infer<typeof lineSchema>;
  try {
    parsed = lineSchema.parse(JSON.parse(line));
  } catch {
    return refuse('the running manager does not know this request: is its version older?');
  }
  if (!sameToken(parsed.token, handlers.token)) {
    return refuse(
      'refused: use the account and the state folder (BOOTSTRAX_STATE_DIR) of the running manager',
    );
  }
  const { request } = parsed;
  if (request.type === 'end') {
    return { response: { ok: true, message: 'ending' }, end: true };
  }
  try {
    return { response: await handlers.onControl(request), end: false };
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error));
  }
}

/** Sends one request; `no manager` if nobody listens at this address. Throws after the timeout. */
export async function ask(
  address: string,
  token: () => string,
  request: WireRequest,
  timeoutSeconds: number,
): Promise<ControlResponse | 'no manager'> {
  const socket = connect({ path: address });
  try {
    try {
      await new Promise<void>((resolve, reject) => {
        socket.once('connect', resolve);
        socket.once('error', reject);
      });
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      if (code === 'ECONNREFUSED' || code === 'ENOENT') return 'no manager';
      throw error;
    }
    socket.write(`${JSON.stringify({ token: token(), request })}\n`);
    return controlResponseSchema.parse(JSON.parse(await readLine(socket, timeoutSeconds)));
  } finally {
    socket.destroy();
  }
}

/** The first line that arrives. Rejects when the time is over, the peer ends, or it is too long. */
async function readLine(socket: Socket, limitSeconds: number): Promise<string> {
  const line = await within(systemClock, limitSeconds, firstLine(socket));
  if (line === TOO_LATE) throw new Error(`no answer within ${limitSeconds} s`);
  return line;
}

function firstLine(socket: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = [];
    let bytes = 0;
    const fail = (why: string) => reject(new Error(why));
    socket.on('data', (piece: Buffer) => {
      pieces.push(piece);
      bytes += piece.length;
      if (piece.includes(0x0a)) {
        resolve(Buffer.concat(pieces).toString('utf8').split('\n', 1)[0] ?? '');
      } else if (bytes > MAX_LINE_BYTES) {
        fail('the line is too long');
      }
    });
    socket.on('error', (error) => {
      fail(error.message);
    });
    socket.on('close', () => {
      fail('the connection was closed without an answer');
    });
  });
}

/**
 * The secret that shows that a request comes from the manager's own user: an abstract socket has no
 * permissions, so anybody on the machine can reach it, and root reaches the other. Made once and kept.
 */
export function ensureToken(file: string): string {
  mkdirSync(dirname(file), { recursive: true });
  const temporary = `${file}.${randomBytes(6).toString('hex')}.tmp`;
  for (;;) {
    const found = readToken(file);
    if (found !== null) return found;
    // An empty file, after a power cut, is no token.
    rmSync(file, { force: true });
    writeFileSync(temporary, randomBytes(24).toString('hex'), { mode: 0o600 });
    try {
      linkSync(temporary, file);
    } catch (error) {
      // Another process was faster: its secret is used.
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    } finally {
      rmSync(temporary, { force: true });
    }
  }
}

/** The secret; null if there is none. Throws if this user may not read it. */
export function readToken(file: string): string | null {
  try {
    const text = readFileSync(file, 'latin1');
    return /^[0-9a-f]{48}$/.test(text) ? text : null;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

function sameToken(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
}
