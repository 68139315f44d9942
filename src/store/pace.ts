/** An answer that took so long to come was no echo of the one before, ms. */
const QUIET_MS = 1000;
const SHORTEST_PAUSE_MS = 40;
const LONGEST_PAUSE_MS = 4000;
/** Of what others write together a little less each time is let pass, until it does not suffice. */
const SHRINK = 0.9;

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

  event(): void {
    this.#hasPaused = false;
  }

  /** The server has answered without an event, after so long; answers how long to wait, ms. */
  nothing(tookMs: number): number {
    if (tookMs >= QUIET_MS) {
      const pause = this.#pauseMs * (this.#echoed ? SHRINK : SHRINK / 2);
      this.#echoed = false;
      return this.#pause(pause < SHORTEST_PAUSE_MS ? 0 : pause);
    }
    this.#echoed = true;
    // What was written in the pause is answered at once.
    if (this.#hasPaused) return this.#atOnce();
    const longer = Math.max(SHORTEST_PAUSE_MS, 2 * this.#pauseMs);
    return this.#pause(Math.min(LONGEST_PAUSE_MS, longer));
  }

  #pause(pauseMs: number): number {
    this.#pauseMs = pauseMs;
    this.#hasPaused = pauseMs > 0;
    return pauseMs;
  }

  #atOnce(): number {
    this.#hasPaused = false;
    return 0;
  }
}
