import { systemClock } from '../clock/clock.ts';
import { giveUp, TOO_LATE, within } from '../concurrency/deadline.ts';

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
    const asked = question();
    const answer = await within(systemClock, this.#seconds, asked);
    if (answer !== TOO_LATE) return answer;
    this.#owing.add(place);
    giveUp(asked.finally(() => this.#owing.delete(place)));
    throw this.#noAnswer(place);
  }

  #noAnswer(place: string): NoAnswerError {
    return new NoAnswerError(
      `${place} does not answer (${this.#seconds} s): is the server of its file system there?`,
    );
  }
}
