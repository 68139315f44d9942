/** At most one work at a time: a request while one is under way gets the answer of that one. */
export class SingleFlight<T> {
  #flight: Promise<T> | null = null;

  get inFlight(): boolean {
    return this.#flight !== null;
  }

  run(work: () => Promise<T>): Promise<T> {
    if (this.#flight !== null) return this.#flight;
    // It is under way before the work begins, which may ask for itself.
    let begin: (answer: Promise<T>) => void = () => undefined;
    const flight = new Promise<T>((resolve) => (begin = resolve));
    this.#flight = flight;
    begin(this.#fly(work));
    return flight;
  }

  async #fly(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } finally {
      this.#flight = null;
    }
  }
}
