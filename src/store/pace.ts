/** Answers without an event that are asked on at once, after the last event. */
const AT_ONCE = 30;
/** Afterwards so many a minute. */
const PER_MINUTE = 10;

/**
 * How soon to ask a change stream again. A server of MongoDB's own answers when there is an event, or
 * when the time of the question is over. The embedded server answers at each write of anybody: among
 * many hosts their life signs would make each of them ask all the time. Who has heard of no event for
 * many such answers asks seldom.
 */
export class Pace {
  #left = AT_ONCE;
  #countedAt = -Infinity;

  event(): void {
    this.#left = AT_ONCE;
  }

  /** The server has answered without an event, early; answers how long to wait, ms. */
  nothing(nowMs: number): number {
    const perMs = PER_MINUTE / 60_000;
    if (this.#countedAt !== -Infinity) {
      this.#left = Math.min(AT_ONCE, this.#left + (nowMs - this.#countedAt) * perMs);
    }
    this.#countedAt = nowMs;
    this.#left -= 1;
    return this.#left >= 0 ? 0 : -this.#left / perMs;
  }
}
