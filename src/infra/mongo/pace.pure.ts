/** An answer that took longer was no echo of the one before. */
const QUIET_MS = 1000;
const SHORTEST_PAUSE_MS = 40;
const LONGEST_PAUSE_MS = 4000;
/** The pause shrinks by this each time, until it no longer covers what others write together. */
const SHRINK = 0.9;
/** One run is written in at most this number of steps; during these there is no pause. */
const AT_ONCE = 30;

/**
 * How soon to poll a change stream again. MongoDB answers when there is an event, or when the time of
 * the poll is over. The embedded server answers at each write of any client, and hosts write their
 * heartbeats at the same time: a poll without a pause would be answered at each of them. So the pause
 * after the first becomes as long as the others take; without other writers there is none.
 */
export class Pace {
  #pauseMs = 0;
  #hasPaused = false;
  /** Others have written soon after a write that stood alone. */
  #echoed = false;
  /** Number of further answers without an event that belong to the same run. */
  #atOnce = AT_ONCE;

  event(): void {
    this.#atOnce = AT_ONCE;
  }

  /** The server has answered without an event after `tookMs`. Returns the pause in milliseconds. */
  nothing(tookMs: number): number {
    if (tookMs >= QUIET_MS) {
      const pause = this.#pauseMs * (this.#echoed ? SHRINK : SHRINK / 2);
      this.#echoed = false;
      this.#atOnce = 0;
      return this.#pause(pause < SHORTEST_PAUSE_MS ? 0 : pause);
    }
    // What was written in the pause is answered at once.
    const isLeftover = this.#hasPaused;
    this.#hasPaused = false;
    if (this.#atOnce > 0) {
      this.#atOnce -= 1;
      return 0;
    }
    this.#echoed = true;
    if (isLeftover) return 0;
    const longer = Math.max(SHORTEST_PAUSE_MS, 2 * this.#pauseMs);
    return this.#pause(Math.min(LONGEST_PAUSE_MS, longer));
  }

  #pause(pauseMs: number): number {
    this.#pauseMs = pauseMs;
    this.#hasPaused = pauseMs > 0;
    return pauseMs;
  }
}
