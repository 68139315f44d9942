import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { BSON, type Document } from 'mongodb';

import { HEADER_BYTES, OP_MSG, wireMessages } from './wire.ts';

/** OP_MSG: header, flags, then a section of kind 0: its document, whose first element names the command. */
const BODY_AT = HEADER_BYTES + 4 + 1;
const COMMAND_NAME_AT = BODY_AT + 4 + 1;
/** What a driver says by itself to watch a server. */
const MONITORING = new Set(['hello', 'isMaster', 'ismaster']);

/** A command and what the server has answered. */
export interface Exchange {
  name: string;
  command: Document;
  answer: Document;
}

/** A TCP proxy in front of a MongoDB server that counts commands and bytes. */
export class CountingProxy {
  readonly commands = new Map<string, number>();
  /** By what they are and where. */
  readonly places = new Map<string, number>();
  bytes = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server) {
    this.#server = server;
  }

  /** `onExchange` is called with each command of these names once it is answered. */
  static async start(
    port: number,
    exchanges: { names: readonly string[]; on: (exchange: Exchange) => void } = {
      names: [],
      on: () => undefined,
    },
  ): Promise<CountingProxy> {
    const server = createServer();
    const proxy = new CountingProxy(server);
    server.on('connection', (client) => proxy.#join(client, port, exchanges));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return proxy;
  }

  get url(): string {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('not listening');
    return `mongodb://127.0.0.1:${address.port}/?directConnection=true`;
  }

  /** Commands without the driver's own monitoring. */
  get count(): number {
    let sum = 0;
    for (const [name, times] of this.commands) if (!MONITORING.has(name)) sum += times;
    return sum;
  }

  reset(): void {
    this.commands.clear();
    this.places.clear();
    this.bytes = 0;
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }

  #join(
    client: Socket,
    port: number,
    { names, on }: { names: readonly string[]; on: (exchange: Exchange) => void },
  ): void {
    const server = connect(port, '127.0.0.1');
    let monitoring = false;
    const asked = new Map<number, { name: string; command: Document }>();
    const count = wireMessages((message) => {
      const name = commandName(message);
      if (name === null) return;
      add(this.commands, name);
      monitoring = MONITORING.has(name);
      if (!monitoring) add(this.places, placeOf(bodyOf(message), name));
      if (names.includes(name)) {
        asked.set(message.readInt32LE(4), { name, command: bodyOf(message) });
      }
    });
    const answered = wireMessages((message) => {
      const to = message.readInt32LE(8);
      const question = asked.get(to);
      if (question === undefined) return;
      asked.delete(to);
      on({ ...question, answer: bodyOf(message) });
    });
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        client.destroy();
        server.destroy();
      });
    }
    client.on('data', (piece) => {
      count(piece);
      if (!monitoring) this.bytes += piece.length;
      server.write(piece);
    });
    server.on('data', (piece) => {
      if (names.length > 0) answered(piece);
      if (!monitoring) this.bytes += piece.length;
      client.write(piece);
    });
  }
}

function add(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

function commandName(message: Buffer): string | null {
  if (message.readInt32LE(12) !== OP_MSG) return null;
  const end = message.indexOf(0, COMMAND_NAME_AT);
  return end < 0 ? null : message.toString('latin1', COMMAND_NAME_AT, end);
}

function bodyOf(message: Buffer): Document {
  const length = message.readInt32LE(BODY_AT);
  return BSON.deserialize(message.subarray(BODY_AT, BODY_AT + length));
}

/** The command and its collection, and of a read the fields that it asks for. */
function placeOf(body: Document, name: string): string {
  const collection: unknown = name === 'getMore' ? body['collection'] : body[name];
  const [first] = (body['pipeline'] as Document[] | undefined) ?? [];
  const fields = Object.keys((body['filter'] ?? first?.['$match'] ?? {}) as Document);
  return [name, String(collection), ...(fields.length > 0 ? [`{${fields.join(', ')}}`] : [])].join(
    ' ',
  );
}
