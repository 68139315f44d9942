import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { BSON, type Document } from 'mongodb';

import { answerTo, commandOf, OP_MSG, OP_QUERY, replyTo, wireMessages } from './wire.ts';

/** A server that says of itself what it is told to, and knows no other command. */
export class OldServer {
  readonly #sockets = new Set<Socket>();
  readonly #server;

  private constructor(hello: Document) {
    this.#server = createServer((socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => this.#sockets.delete(socket));
      socket.on(
        'data',
        wireMessages((message) => {
          const code = message.readInt32LE(12);
          if (code !== OP_MSG && code !== OP_QUERY) return;
          const [name = ''] = Object.keys(BSON.deserialize(commandOf(message)));
          const isHandshake = /^(hello|ismaster)$/i.test(name);
          const answer = isHandshake
            ? hello
            : {
                ok: 0,
                code: 59,
                codeName: 'CommandNotFound',
                errmsg: `no such command: '${name}'`,
              };
          const reply = code === OP_QUERY ? replyTo : answerTo;
          socket.write(reply(message.readInt32LE(4), answer));
        }),
      );
    });
  }

  static async start(hello: Document): Promise<OldServer> {
    const server = new OldServer(hello);
    server.#server.listen(0, '127.0.0.1');
    await once(server.#server, 'listening');
    return server;
  }

  get url(): string {
    const { port } = this.#server.address() as AddressInfo;
    return `mongodb://127.0.0.1:${port}/?directConnection=true`;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
