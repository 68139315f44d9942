import { setMaxListeners } from 'node:events';

import { type Clock, untilBeatSeconds } from '../clock/clock.ts';
import { giveUp, within } from './deadline.ts';
import { Periodic } from './periodic.ts';
import type { Interval, Repeated, Tasks, Work } from './tasks.ts';

/**
 * Owns all background work of a program: nothing runs of which the group does not know. The first error
 * of anything in it ends the whole group, since after an internal error only a new start helps.
 */
export class TaskGroup implements Tasks {
  readonly #clock: Pick<Clock, 'sleep' | 'now'>;
  readonly #ends = new AbortController();
  readonly #running = new Map<number, { name: string; done: Promise<void> }>();
  #begun = 0;
  /** Rejects with the error that ends the group; nothing else ever comes of it. */
  readonly failure: Promise<never>;
  #reject: (error: unknown) => void = () => undefined;
  #hasFailed = false;

  constructor(clock: Pick<Clock, 'sleep' | 'now'>) {
    this.#clock = clock;
    this.failure = new Promise<never>((_, reject) => (this.#reject = reject));
    // Only the caller that guards a work gets its error.
    giveUp(this.failure);
    // Everything that waits listens to it.
    setMaxListeners(0, this.#ends.signal);
  }

  get signal(): AbortSignal {
    return this.#ends.signal;
  }

  get hasFailed(): boolean {
    return this.#hasFailed;
  }

  /** After a failure nothing is begun. */
  start(name: string, work: Work): void {
    if (this.#hasFailed) return;
    const id = this.#begun++;
    this.#running.set(id, { name, done: this.#carryOut(id, work) });
  }

  after({ name, seconds }: Interval, work: Work): Repeated {
    const off = new AbortController();
    const stopped = AbortSignal.any([this.signal, off.signal]);
    this.start(`the timer of ${name}`, async () => {
      await this.#clock.sleep(seconds, stopped);
      if (!stopped.aborted) this.start(name, work);
    });
    return { stop: () => off.abort() };
  }

  every({ name, seconds }: Interval, work: Work): Repeated {
    return new Periodic(this, this.#clock, { name, waitSeconds: () => seconds, work });
  }

  onBeat({ name, seconds }: Interval, work: Work): Repeated {
    const waitSeconds = () => untilBeatSeconds(this.#clock.now().getTime(), seconds);
    return new Periodic(this, this.#clock, { name, waitSeconds, work });
  }

  /** An internal error: ends the group. Only the first one counts, since one brings others with it. */
  fail(error: unknown): void {
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    // Whatever is broken writes nothing any more.
    this.#ends.abort();
    this.#reject(error);
  }

  /** Tells everything in the group to end; who works on finishes what it must. */
  end(): void {
    this.#ends.abort();
  }

  /** The answer of the program's main work; rejects at once with the error that ends the group. */
  guard<T>(main: () => Promise<T>): Promise<T> {
    return Promise.race([main(), this.failure]);
  }

  /** Ends the group and waits until nothing of it runs; answers what still does after `seconds`. */
  async close(seconds: number): Promise<string[]> {
    this.end();
    await within(this.#clock, seconds, this.#idle());
    return [...this.#running.values()].map(({ name }) => name);
  }

  async #carryOut(id: number, work: Work): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.fail(error);
    } finally {
      this.#running.delete(id);
    }
  }

  /** What is under way may begin something else. */
  async #idle(): Promise<void> {
    while (this.#running.size > 0) {
      await Promise.all([...this.#running.values()].map(({ done }) => done));
    }
  }
}
