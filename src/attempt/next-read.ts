import type { Clock } from '../infra/clock/clock.ts';
import { isOfDatabase } from '../ports/persist.ts';

/** Between two reads of a run whose end is awaited, beside the change stream. */
const END_READ_SECONDS = 2;

/** Waits for the next read of a run document, by a hint or after a while. */
export class NextRead {
  readonly #clock: Pick<Clock, 'sleep'>;
  readonly #read: () => Promise<void>;
  #done: (() => void) | null = null;

  constructor(clock: Pick<Clock, 'sleep'>, read: () => Promise<void>) {
    this.#clock = clock;
    this.#read = read;
  }

  /** The document has been read. */
  noted(): void {
    this.#done?.();
  }

  /** False if it could not be read. */
  async wait(stopped: AbortSignal): Promise<boolean> {
    const read = new AbortController();
    this.#done = () => read.abort();
    await this.#clock.sleep(END_READ_SECONDS, AbortSignal.any([read.signal, stopped]));
    this.#done = null;
    if (read.signal.aborted) return true;
    try {
      await this.#read();
      return true;
    } catch (error) {
      if (!isOfDatabase(error)) throw error;
      return false;
    }
  }
}
