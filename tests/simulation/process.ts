import { untilBeatSeconds, type Clock } from '../../src/infra/clock/clock.ts';
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
): Clock & { failed: (error: unknown) => void } {
  const clock = {
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
    every: (seconds: number, work: () => void | Promise<void>) => {
      let callOff: () => void = () => undefined;
      const turn = () => {
        callOff = process.after(seconds, turn);
        Promise.resolve(work()).catch((error: unknown) => clock.failed(error));
      };
      callOff = process.after(seconds, turn);
      return () => callOff();
    },
    onBeat: (seconds: number, work: () => void | Promise<void>) => {
      let callOff: () => void = () => undefined;
      const wait = () => {
        const waitSeconds = untilBeatSeconds(time.nowMs + skewSeconds() * 1000, seconds);
        callOff = process.after(waitSeconds, () => {
          wait();
          Promise.resolve(work()).catch((error: unknown) => clock.failed(error));
        });
      };
      wait();
      return () => callOff();
    },
    random: () => random.next(),
    /** A timer's work has thrown, which ends a real process. */
    failed: (error: unknown) => {
      throw error;
    },
  };
  return clock;
}
