import type { Clock } from '../../src/infra/clock/clock.ts';
import type { Random } from './random.ts';
import type { Time } from './time.ts';

/**
 * A process on a simulated machine: whatever it waits for reaches it only while it lives, and only
 * once it is not stopped. What it had begun elsewhere (a write on its way) goes on after its death.
 */
export class Process {
  readonly #time: Time;
  #state: 'running' | 'stopped' | 'dead' = 'running';
  #missed: (() => void)[] = [];

  constructor(time: Time) {
    this.#time = time;
  }

  get alive(): boolean {
    return this.#state !== 'dead';
  }

  get stopped(): boolean {
    return this.#state === 'stopped';
  }

  after(seconds: number, happen: () => void): () => void {
    return this.#time.after(seconds, () => this.#reach(happen));
  }

  wait(seconds: number): Promise<void> {
    return new Promise((resolve) => this.after(seconds, resolve));
  }

  /** As SIGSTOP: what happens meanwhile reaches it when it goes on. */
  stop(): void {
    if (this.#state === 'running') this.#state = 'stopped';
  }

  goOn(): void {
    if (this.#state !== 'stopped') return;
    this.#state = 'running';
    const missed = this.#missed;
    this.#missed = [];
    // Each as an event of its own, in the order in which it came.
    for (const happen of missed) this.after(0, happen);
  }

  kill(): void {
    this.#state = 'dead';
    this.#missed = [];
  }

  #reach(happen: () => void): void {
    if (this.#state === 'running') happen();
    else if (this.#state === 'stopped') this.#missed.push(happen);
  }
}

/** The clock of one process: its timers, and the wall clock of its machine. */
export function processClock(
  time: Time,
  process: Process,
  random: Random,
  /** How far the machine's wall clock is ahead, seconds; may change. */
  skewSeconds: () => number,
): Clock {
  return {
    now: () => new Date(time.nowMs + skewSeconds() * 1000),
    monotonicSeconds: () => time.seconds,
    sleep: (seconds: number, signal?: AbortSignal) =>
      new Promise<void>((resolve) => {
        if (signal?.aborted === true) return resolve();
        let callOff: () => void = () => undefined;
        const wake = () => {
          callOff();
          signal?.removeEventListener('abort', wake);
          resolve();
        };
        callOff = process.after(seconds, wake);
        signal?.addEventListener('abort', wake, { once: true });
      }),
    random: () => random.next(),
  };
}
