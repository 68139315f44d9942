import { setTimeout as delay } from 'node:timers/promises';

/** A file system did not answer in time. */
export class NoAnswerError extends Error {}

/**
 * Asks file systems that may hang, as a network file system does whose server is gone. Each question
 * that hangs holds one of the few threads that all files and name look-ups share, so a place that
 * owes an answer is not asked again before it has given it.
 */
export class Patience {
  readonly #seconds: number;
  readonly #owing = new Set<string>();

  constructor(seconds: number) {
    this.#seconds = seconds;
  }

  /** The answer; throws a `NoAnswerError` when `place` takes longer than that, or still owes one. */
  async ask<T>(place: string, question: () => Promise<T>): Promise<T> {
    if (this.#owing.has(place)) throw this.#noAnswer(place);
    const late = new AbortController();
    const answer = question();
    try {
      return await Promise.race([
        answer,
        delay(this.#seconds * 1000, undefined, { signal: late.signal }).then(() => {
          this.#owing.add(place);
          const paid = () => this.#owing.delete(place);
          answer.then(paid, paid);
          throw this.#noAnswer(place);
        }),
      ]);
    } finally {
      late.abort();
    }
  }

  #noAnswer(place: string): NoAnswerError {
    return new NoAnswerError(
      `${place} does not answer (${this.#seconds} s): is the server of its file system there?`,
    );
  }
}
