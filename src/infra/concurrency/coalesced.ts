/**
 * Work that reads the whole present state, one round at a time: what is requested while a round is under
 * way is done by one more afterwards, however many have asked.
 */
export class Coalesced {
  readonly #work: () => Promise<void>;
  #rounds: Promise<void> | null = null;
  #isDue = false;

  constructor(work: () => Promise<void>) {
    this.#work = work;
  }

  /** A round is under way, or has been requested and has failed. */
  get isOpen(): boolean {
    return this.#isDue || this.#rounds !== null;
  }

  /** Ends when no round is under way any more. */
  async idle(): Promise<void> {
    await this.#rounds;
  }

  /** Ends after a round that began later than the request; rejects if a round fails before. */
  request(): Promise<void> {
    this.#isDue = true;
    if (this.#rounds !== null) return this.#rounds;
    // They are under way before the work begins, which may request another.
    let begin: (rounds: Promise<void>) => void = () => undefined;
    const rounds = new Promise<void>((resolve) => (begin = resolve));
    this.#rounds = rounds;
    begin(this.#whileDue());
    return rounds;
  }

  async #whileDue(): Promise<void> {
    try {
      while (this.#isDue) {
        this.#isDue = false;
        await this.#work();
      }
    } catch (error) {
      this.#isDue = true;
      throw error;
    } finally {
      // In the same step as the last check of what is due: no request can fall between the two.
      this.#rounds = null;
    }
  }
}
