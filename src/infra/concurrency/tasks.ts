import type { Clock } from '../clock/clock.ts';

/** What a program does beside its main work; everything in it is owned, and its errors are the program's. */
export interface Tasks {
  /** Aborted when all of it is to end, or an error has ended it. */
  readonly signal: AbortSignal;
  /** Begins a work that nobody waits for; `name` says what it is. */
  start(name: string, work: Work): void;
  /** Begins a work once the time has passed, unless it is stopped before. */
  after(interval: Interval, work: Work): Repeated;
  /** Begins a work each time an interval has passed. */
  every(interval: Interval, work: Work): Repeated;
  /**
   * Begins a work each time the wall clock shows a multiple of an interval: hosts whose clocks agree do
   * it at the same time.
   */
  onBeat(interval: Interval, work: Work): Repeated;
}

export type Work = () => Promise<unknown> | void;

export interface Interval {
  /** What is done, for people. */
  name: string;
  seconds: number;
}

/** What a part needs that does something by itself. */
export interface Background {
  clock: Clock;
  tasks: Tasks;
}

/** Work that waits for its time. */
export interface Repeated {
  /** No round begins any more; one that is under way is finished. */
  stop(): void;
}
