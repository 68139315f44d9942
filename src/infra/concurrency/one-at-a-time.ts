/** Carries out everything it is given, one after the other, in the order in which it came. */
export class OneAtATime {
  #last: Promise<unknown> = Promise.resolve();

  /** What fails does so for its own caller: the next one is carried out all the same. */
  run<T>(work: () => Promise<T>): Promise<T> {
    const answer = this.#last.then(work);
    this.#last = answer.catch(() => undefined);
    return answer;
  }

  /** Ends when all that it has been given is done. */
  async idle(): Promise<void> {
    await this.#last;
  }
}
