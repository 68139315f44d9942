import { systemClock } from '../clock/clock.ts';
import { giveUp, TOO_LATE, within } from '../concurrency/deadline.ts';

/** A file system did not answer in time. */
export class NoAnswerError extends Error {}

/**
 * Reads file systems that may hang, as a network file system does without its server. Each call that
 * hangs holds one of the few threads that all file and name calls share, so a folder whose last call
 * still hangs is not read again.
 */
export class DiskTimeout {
  readonly #seconds: number;
  readonly #hanging = new Set<string>();

  constructor(seconds: number) {
    this.#seconds = seconds;
  }

  /** Throws a `NoAnswerError` when the call on `folder` takes longer than the timeout, or an earlier one still hangs. */
  async ask<T>(folder: string, call: () => Promise<T>): Promise<T> {
    if (this.#hanging.has(folder)) throw this.#noAnswer(folder);
    const asked = call();
    const answer = await within(systemClock, this.#seconds, asked);
    if (answer !== TOO_LATE) return answer;
    this.#hanging.add(folder);
    giveUp(asked.finally(() => this.#hanging.delete(folder)));
    throw this.#noAnswer(folder);
  }

  #noAnswer(folder: string): NoAnswerError {
    return new NoAnswerError(
      `${folder} does not answer (${this.#seconds} s): is the server of its file system there?`,
    );
  }
}
