import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { BSON, type Document } from 'mongodb';

import { answerTo, HEADER_BYTES, OP_MSG, wireMessages } from './wire.ts';

/** Header, flags, kind of the first section, which is the command itself. */
const COMMAND_AT = HEADER_BYTES + 4 + 1;

/** A loss that was asked for, and how often it has happened. */
export interface Loss {
  happened: number;
}

interface LossRule extends Loss {
  matches: (command: Document) => boolean;
  times: number;
  /** Or the document that is answered. */
  then: 'cut' | 'hang' | Document;
  carriedOut: boolean;
}

interface Pair {
  near: Socket;
  far: Socket;
  /** Nothing passes any more, and nobody is told. */
  frozen: boolean;
  /** Requests whose answers are to be lost. */
  doomed: Map<number, LossRule>;
}

/** A TCP relay in front of a MongoDB server that can do to its connections what networks do. */
export class Proxy {
  /**
   * `silent`: nothing passes, connections stay open, new ones are taken and left alone. `mute`:
   * requests pass, answers do not.
   */
  mode: 'pass' | 'silent' | 'mute' = 'pass';
  /** Each piece of an answer is held back for so long. */
  delayMs = 0;
  readonly #server = createServer((near) => this.#join(near));
  readonly #pairs = new Set<Pair>();
  readonly #losses: LossRule[] = [];

  private constructor(readonly target: { host: string; port: number }) {}

  static async to(url: string): Promise<Proxy> {
    const { hostname, port } = new URL(url);
    const proxy = new Proxy({ host: hostname, port: Number(port) });
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  /** Direct: the server names its own address, which a client would follow past the proxy. */
  get url(): string {
    const { port } = this.#server.address() as AddressInfo;
    return `mongodb://127.0.0.1:${port}/?directConnection=true`;
  }

  get connections(): number {
    return this.#pairs.size;
  }

  /** Ends all present connections. */
  drop(): void {
    for (const { near, far } of this.#pairs) {
      near.destroy();
      far.destroy();
    }
  }

  /** All present connections go half-open: nothing passes, nobody is told. New ones are not touched. */
  freeze(): void {
    for (const pair of this.#pairs) pair.frozen = true;
  }

  /**
   * The answers to the next commands that match are lost although the server carries them out: the
   * connection is cut instead, or stays open in silence.
   */
  loseAnswers(
    matches: (command: Document) => boolean,
    times = 1,
    then: 'cut' | 'hang' = 'cut',
  ): Loss {
    const rule: LossRule = { matches, times, then, carriedOut: true, happened: 0 };
    this.#losses.push(rule);
    return rule;
  }

  /** The next commands that match are answered with a document, carried out or not. */
  answerWith(
    matches: (command: Document) => boolean,
    answer: Document,
    { times = 1, carriedOut = false }: { times?: number; carriedOut?: boolean } = {},
  ): Loss {
    const rule: LossRule = { matches, times, then: answer, carriedOut, happened: 0 };
    this.#losses.push(rule);
    return rule;
  }

  async close(): Promise<void> {
    this.drop();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #join(near: Socket): void {
    const far = connect(this.target);
    const pair: Pair = { near, far, frozen: false, doomed: new Map() };
    this.#pairs.add(pair);
    const end = () => {
      this.#pairs.delete(pair);
      // A half-open connection is one whose other end has gone without a word.
      if (this.mode === 'silent' || pair.frozen) return;
      near.destroy();
      far.destroy();
    };
    for (const socket of [near, far]) {
      socket.setNoDelay(true);
      socket.on('error', () => undefined);
      socket.on('close', end);
    }
    near.on(
      'data',
      wireMessages((message) => {
        if (this.mode === 'silent' || pair.frozen) return;
        if (this.#judge(pair, message)) far.write(message);
      }),
    );
    far.on(
      'data',
      wireMessages((message) => void this.#answer(pair, message)),
    );
  }

  /** Whether the server is to have it. */
  #judge(pair: Pair, message: Buffer): boolean {
    if (this.#losses.length === 0) return true;
    const command = commandOf(message);
    if (command === null) return true;
    const rule = this.#losses.find(({ matches, times }) => times > 0 && matches(command));
    if (rule === undefined) return true;
    rule.times--;
    if (rule.carriedOut || typeof rule.then === 'string') {
      pair.doomed.set(message.readInt32LE(4), rule);
      return true;
    }
    rule.happened++;
    pair.near.write(answerTo(message.readInt32LE(4), rule.then));
    return false;
  }

  async #answer(pair: Pair, message: Buffer): Promise<void> {
    const rule = pair.doomed.get(message.readInt32LE(8));
    if (rule !== undefined) {
      rule.happened++;
      if (rule.then === 'hang') pair.frozen = true;
      else if (rule.then === 'cut') pair.near.destroy();
      else pair.near.write(answerTo(message.readInt32LE(8), rule.then));
      return;
    }
    if (this.delayMs > 0) await new Promise((resolve) => setTimeout(resolve, this.delayMs));
    if (this.mode === 'pass' && !pair.frozen) pair.near.write(message);
  }
}

function commandOf(message: Buffer): Document | null {
  if (message.readInt32LE(12) !== OP_MSG) return null;
  const size = message.readInt32LE(COMMAND_AT);
  const command = BSON.deserialize(message.subarray(COMMAND_AT, COMMAND_AT + size));
  // Documents of a write may come in a section of their own, behind the command.
  return { ...command, text: message.toString('latin1', HEADER_BYTES) };
}
