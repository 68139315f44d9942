import type { Clock } from '../clock/clock.ts';
import type { Repeated, Tasks, Work } from './tasks.ts';

/** What is done again and again. */
export interface Rounds {
  name: string;
  /** Until the next round. */
  waitSeconds: () => number;
  work: Work;
}

/** Work that a group does at an interval, whatever else goes on: a slow round delays no other. */
export class Periodic implements Repeated {
  readonly #stop = new AbortController();

  constructor(
    tasks: Pick<Tasks, 'signal' | 'start'>,
    clock: Pick<Clock, 'sleep'>,
    { name, waitSeconds, work }: Rounds,
  ) {
    const stopped = AbortSignal.any([tasks.signal, this.#stop.signal]);
    tasks.start(`the timer of ${name}`, async () => {
      for (;;) {
        await clock.sleep(waitSeconds(), stopped);
        if (stopped.aborted) return;
        tasks.start(name, work);
      }
    });
  }

  stop(): void {
    this.#stop.abort();
  }
}
