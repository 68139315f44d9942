import { createInterface } from 'node:readline';
import type { Duplex } from 'node:stream';

import { systemClock } from '../../infra/clock/clock.ts';
import { TOO_LATE, within } from '../../infra/concurrency/deadline.ts';
import type { ManagerMessage, ServerMessage } from '../attempt.pure.ts';
import { readServerLine } from './worker-messages.ts';

export interface ServerLinkListener {
  onMessage: (message: ServerMessage) => void;
  onUnreadable: (problem: string) => void;
  /** The server, or this end, has closed the connection: nothing more comes. */
  onEnd: () => void;
}

/** The manager's end of a connection to a fork server: lines of JSON both ways. */
export class ServerLink {
  readonly #stream: Duplex;
  #listener: ServerLinkListener | null = null;
  /** What came before somebody listened. */
  readonly #early: ((listener: ServerLinkListener) => void)[] = [];

  constructor(stream: Duplex) {
    this.#stream = stream;
    // What is wrong with it is its end, and that is noticed by `close`.
    const lines = createInterface({ input: stream });
    for (const each of [stream, lines]) each.on('error', () => undefined);
    lines.on('line', (line) => {
      const read = readServerLine(line);
      this.#pass((listener) => {
        if (read.kind === 'message') listener.onMessage(read.message);
        else listener.onUnreadable(read.problem);
      });
    });
    lines.on('close', () => stream.destroy());
    stream.on('close', () => this.#pass((listener) => listener.onEnd()));
  }

  /** Whoever listens now hears everything from the beginning, or from where the last one stopped. */
  listen(listener: ServerLinkListener | null): void {
    this.#listener = listener;
    // It may leave the rest to the next one.
    while (listener !== null && this.#listener === listener) {
      const pass = this.#early.shift();
      if (pass === undefined) return;
      pass(listener);
    }
  }

  /** The first message; null if none comes in time. Whoever listens afterwards hears the rest. */
  async first(seconds: number): Promise<ServerMessage | null> {
    const message = new Promise<ServerMessage | null>((resolve) => {
      const answer = (first: ServerMessage | null) => {
        this.listen(null);
        resolve(first);
      };
      this.listen({
        onMessage: answer,
        onUnreadable: () => answer(null),
        onEnd: () => answer(null),
      });
    });
    const first = await within(systemClock, seconds, message);
    if (first !== TOO_LATE) return first;
    this.listen(null);
    return null;
  }

  send(message: ManagerMessage): void {
    this.#stream.write(`${JSON.stringify(message)}\n`);
  }

  /** Sends what is on the way, and ends; answers once the server has read it, or is gone. */
  async end(): Promise<void> {
    await new Promise<void>((resolve) => {
      if (this.#stream.destroyed) resolve();
      this.#stream.once('close', resolve);
      this.#stream.end();
    });
  }

  /** Ends at once. Nobody hears anything any more. */
  close(): void {
    this.#listener = null;
    this.#stream.destroy();
  }

  #pass(pass: (listener: ServerLinkListener) => void): void {
    if (this.#listener === null) this.#early.push(pass);
    else pass(this.#listener);
  }
}
