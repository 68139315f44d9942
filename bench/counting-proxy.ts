import { createServer, connect, type Server, type Socket } from 'node:net';
import { once } from 'node:events';

import { HEADER_BYTES, OP_MSG, wireMessages } from '../tests/support/wire.ts';

/** OP_MSG: header, flags, then a section of kind 0: its first element names the command. */
const COMMAND_NAME_AT = HEADER_BYTES + 4 + 1 + 4 + 1;
/** What a driver says by itself to watch a server. */
const MONITORING = new Set(['hello', 'isMaster', 'ismaster']);

/** A TCP proxy in front of a MongoDB server that counts commands and bytes. */
export class CountingProxy {
  readonly commands = new Map<string, number>();
  bytes = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(port: number): Promise<CountingProxy> {
    const server = createServer();
    const proxy = new CountingProxy(server);
    server.on('connection', (client) => proxy.#join(client, port));
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
    this.bytes = 0;
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }

  #join(client: Socket, port: number): void {
    const server = connect(port, '127.0.0.1');
    let monitoring = false;
    const count = wireMessages((message) => {
      const name = commandName(message);
      if (name === null) return;
      this.commands.set(name, (this.commands.get(name) ?? 0) + 1);
      monitoring = MONITORING.has(name);
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
      if (!monitoring) this.bytes += piece.length;
      client.write(piece);
    });
  }
}

function commandName(message: Buffer): string | null {
  if (message.readInt32LE(12) !== OP_MSG) return null;
  const end = message.indexOf(0, COMMAND_NAME_AT);
  return end < 0 ? null : message.toString('latin1', COMMAND_NAME_AT, end);
}
