/** An answer that took so long to come was no echo of the one before, ms. */
const QUIET_MS = 1000;
const SHORTEST_PAUSE_MS = 40;
const LONGEST_PAUSE_MS = 4000;
/** Of what others write together a little less each time is let pass, until it does not suffice. */
const SHRINK = 0.9;
/** What happens to one run is written in so many steps at most: meanwhile nothing is let pass. */
const AT_ONCE = 30;

/**
 * How soon to ask a change stream again. A server of MongoDB's own answers when there is an event, or
 * when the time of the question is over. The embedded server answers at each write of anybody, and
 * hosts write their life signs at the same time: who asked on at once would hear of each. So the pause
 * after the first of them becomes as long as the others take; where nobody writes along, there is none.
 */
export class Pace {
  #pauseMs = 0;
  #hasPaused = false;
  /** Others have written soon after a write that stood alone. */
  #echoed = false;
  /** So many further answers without an event belong to what is happening. */
  #atOnce = AT_ONCE;

  event(): void {
    this.#atOnce = AT_ONCE;
  }

  /** The server has answered without an event, after so long; answers how long to wait, ms. */
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
