import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';

import type { Message } from '../../src/features/alarms/alarm-message.pure.ts';

/** An HTTP server that alarms are sent to. */
export class HttpReceiver {
  readonly messages: (Message & { text: string })[] = [];
  /** Of the dead-man signal. */
  pings = 0;
  /** Requests for anything else. */
  readonly strays: string[] = [];
  /** What it answers to messages; with a status of redirection it names `/elsewhere`. */
  status = 200;
  refused = 0;

  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(): Promise<HttpReceiver> {
    const server = createServer();
    const receiver = new HttpReceiver(server);
    server.on('request', (request, response) => {
      void receiver.#take(request).then((status) => {
        response.writeHead(status, status >= 300 && status < 400 ? { location: '/elsewhere' } : {});
        response.end();
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Ids of all that it took, in order. */
  get ids(): string[] {
    return this.messages.flatMap(({ alarms }) => alarms.map(({ id }) => id));
  }

  async end(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #take(request: IncomingMessage): Promise<number> {
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece as Buffer);
    if (request.url === '/alive') {
      this.pings++;
      return 200;
    }
    if (request.url !== '/hook/k3y' || request.method !== 'POST') {
      this.strays.push(`${request.method} ${request.url}`);
      return 404;
    }
    if (this.status !== 200) {
      this.refused++;
      return this.status;
    }
    this.messages.push(JSON.parse(Buffer.concat(pieces).toString()) as Message);
    return 200;
  }
}

/** How a mail server lets people in. */
export interface MailGuard {
  encrypted: 'from the start' | 'when asked';
  /** PEM. */
  key: string;
  certificate: string;
  user: string;
  password: string;
}

function guarded({ encrypted, key, certificate, user, password }: MailGuard): SMTPServerOptions {
  return {
    secure: encrypted === 'from the start',
    ...{ key, cert: certificate },
    onAuth: (given, _, done) => {
      const isKnown = given.username === user && given.password === password;
      done(isKnown ? null : new Error('who is that?'), { user });
    },
  };
}

/** An SMTP server that alarms are sent to. */
export class MailReceiver {
  readonly #server: SMTPServer;
  readonly #isEncrypted: boolean;

  private constructor(
    server: SMTPServer,
    /** As they came, headers and all. */
    readonly mails: { to: string[]; text: string }[],
    isEncrypted: boolean,
  ) {
    this.#server = server;
    this.#isEncrypted = isEncrypted;
  }

  /** Without `guard` neither encrypted nor with a log-in. */
  static async start(guard?: MailGuard): Promise<MailReceiver> {
    const mails: MailReceiver['mails'] = [];
    const server = new SMTPServer({
      ...(guard === undefined ? { disabledCommands: ['STARTTLS', 'AUTH'] } : guarded(guard)),
      onData: (stream, session, done) => {
        const pieces: Buffer[] = [];
        stream.on('data', (piece: Buffer) => pieces.push(piece));
        stream.on('end', () => {
          const to = session.envelope.rcptTo.map(({ address }) => address);
          mails.push({ to, text: Buffer.concat(pieces).toString() });
          done();
        });
      },
    });
    // Who does not know the certificate hangs up in the middle.
    server.on('error', () => undefined);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new MailReceiver(server, mails, guard?.encrypted === 'from the start');
  }

  get url(): string {
    return `${this.#isEncrypted ? 'smtps' : 'smtp'}://127.0.0.1:${(this.#server.server.address() as AddressInfo).port}`;
  }

  async end(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}
