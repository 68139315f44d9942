import type { Interval, Repeated, Tasks, Work } from '../../src/infra/concurrency/tasks.ts';

/** Background work whose rounds begin when the test rings; what is thrown in it fails the test. */
export class HandTasks implements Tasks {
  readonly #ends = new AbortController();
  readonly #rounds = new Map<Repeated, Work>();
  readonly #running = new Set<Promise<void>>();
  readonly #errors: unknown[] = [];

  get signal(): AbortSignal {
    return this.#ends.signal;
  }

  start(_name: string, work: Work): void {
    const running = this.#carryOut(work).then(() => void this.#running.delete(running));
    this.#running.add(running);
  }

  after(interval: Interval, work: Work): Repeated {
    const once = this.every(interval, () => {
      once.stop();
      return work();
    });
    return once;
  }

  every(_interval: Interval, work: Work): Repeated {
    const repeated = { stop: () => void this.#rounds.delete(repeated) };
    this.#rounds.set(repeated, work);
    return repeated;
  }

  onBeat(interval: Interval, work: Work): Repeated {
    return this.every(interval, work);
  }

  /** All that is done at an interval is due now. */
  ring(): void {
    for (const work of this.#rounds.values()) this.start('a round', work);
  }

  end(): void {
    this.#ends.abort();
  }

  /** Waits for all that has been begun; throws the first error of it. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
    if (this.#errors.length > 0) throw this.#errors[0];
  }

  async #carryOut(work: Work): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#errors.push(error);
    }
  }
}
