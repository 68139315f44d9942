import type { HostHeartbeat } from '../../src/host/host.port.ts';
import type { StoreEvent } from '../../src/infra/mongo/connection.port.ts';
import { StoreError } from '../../src/infra/mongo/store-error.ts';
import type { Store } from '../../src/ports/store.ts';
import type { Process } from './process.ts';
import type { Random } from './random.ts';
import { type MemoryDatabase, openStore } from './store/index.ts';
import type { Time } from './time.ts';

/** A call is given up on after this long, seconds. */
const CALL_SECONDS = 10;

/** How one host gets to the database. `refused`: no connection; `silent`: swallowed without a word. */
export type LinkState = 'up' | 'refused' | 'silent';

export interface Network {
  time: Time;
  random: Random;
  database: MemoryDatabase;
  /** Told after each call that the database has carried out. */
  carriedOut: (author: string) => void;
}

/** One host's way to the database. */
export class Link {
  state: LinkState = 'up';
  /** How many answers get lost, of one. */
  losing = 0;
  /** How many calls that are given up on are carried out all the same, later. */
  landingLate = 0;
  /** One way takes up to so long, seconds. */
  slowSeconds = 0.01;
  /** Of the change stream: how many hints get lost, of one, and how late the others may come. */
  hintsLost = 0;
  hintSeconds = 0.05;
  readonly #network: Network;
  readonly #host: string;

  constructor(network: Network, host: string) {
    this.#network = network;
    this.#host = host;
  }

  /** The store of a process on this host. */
  open(process: Process, notify: (event: StoreEvent) => void, author: string = this.#host): Store {
    let down = false;
    const report = (up: boolean, reason: string | null) => {
      if (down === !up) return;
      down = !up;
      notify({ kind: 'connection', database: 'runs', up, reason });
    };
    const store = openStore(this.#network.database, {
      call: (operation, carryOut) =>
        this.call(process, operation, carryOut, author).then(
          (answer) => {
            report(true, null);
            return answer;
          },
          (error: Error) => {
            report(false, error.message);
            throw error;
          },
        ),
      hint: (deliver) => this.#hint(process, deliver),
      pause: (milliseconds) => process.wait(milliseconds / 1000),
    });
    let asked: { atSeconds: number; serverMs: number } | null = null;
    const { time } = this.#network;
    // As the real one: asked at most once a minute, carried on by the monotonic clock.
    const serverTime = async () => {
      if (asked === null || time.seconds - asked.atSeconds > 60) {
        const answer = await store.serverTime();
        asked = { atSeconds: time.seconds, serverMs: answer.getTime() };
      }
      return new Date(asked.serverMs + (time.seconds - asked.atSeconds) * 1000);
    };
    // As short as its readers allow: by far the most frequent write.
    const write = ({ host, state }: HostHeartbeat) =>
      this.call(
        process,
        'a heartbeat',
        async () => {
          const { database } = this.#network;
          await database.ebMonitor.insertOne({ host, state, time: new Date(database.now()) });
        },
        author,
      );
    return { ...store, serverTime, ebMonitor: { ...store.ebMonitor, write } };
  }

  /** Carries something out in the database, or not, as the way there allows. */
  call<T>(
    process: Process,
    operation: string,
    carryOut: () => Promise<T>,
    author: string = this.#host,
  ): Promise<T> {
    const { time, random } = this.#network;
    return new Promise((resolve, reject) => {
      if (!process.alive) return;
      const fail = (seconds: number, message: string, uncertain: boolean) => {
        const error = new StoreError('unreachable', `${operation}: ${message}`, {
          uncertain,
          transient: uncertain,
        });
        process.after(seconds, () => reject(error));
      };
      if (this.state === 'refused') {
        fail(random.between(0.01, 5), 'no connection', false);
        return;
      }
      const there = this.#way();
      const back = this.#way();
      const arrive = (answered: boolean) => {
        const done = carryOut();
        this.#network.carriedOut(author);
        if (!answered) return;
        done.then(
          (answer) => process.after(back, () => resolve(answer)),
          (error: Error) => process.after(back, () => reject(error)),
        );
      };
      // What takes too long is given up on, and carried out all the same.
      if (there + back > CALL_SECONDS) fail(CALL_SECONDS, 'no answer in time', true);
      // A call on its way is out of its caller's hands, even of a dead one.
      time.after(there, () => {
        if (this.state === 'up') {
          const answered = !random.chance(this.losing);
          arrive(answered);
          if (!answered) fail(random.pick([0.01, CALL_SECONDS]), 'the answer got lost', true);
          return;
        }
        fail(random.pick([0.01, CALL_SECONDS]), 'no answer', true);
        if (this.state === 'silent' && random.chance(this.landingLate)) {
          time.after(random.between(1, 60), () => arrive(false));
        }
      });
    });
  }

  #way(): number {
    return this.#network.random.between(0.0005, this.slowSeconds);
  }

  #hint(process: Process, deliver: () => void): void {
    const { random } = this.#network;
    if (!process.alive || this.state !== 'up' || random.chance(this.hintsLost)) return;
    process.after(random.between(0.001, this.hintSeconds), deliver);
    if (random.chance(0.05)) process.after(random.between(0.001, 5), deliver);
  }
}
