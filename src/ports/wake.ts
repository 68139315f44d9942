import type { Clock } from '../infra/clock/clock.ts';

/**
 * Wakes the manager's loop. A ring carries no content: whoever is woken reads the whole present
 * state, so that a lost, doubled or late ring makes no difference but time.
 */
export class Bell {
  readonly #clock: Clock;
  #rung = false;
  #wake: (() => void) | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  ring(): void {
    this.#rung = true;
    this.#wake?.();
  }

  /**
   * Returns at the next ring (at once if one came since the last wait) or after `seconds`; answers
   * whether it has rung.
   */
  async wait(seconds: number, signal: AbortSignal): Promise<boolean> {
    if (!this.#rung && !signal.aborted) {
      const woken = new AbortController();
      const wake = () => woken.abort();
      this.#wake = wake;
      signal.addEventListener('abort', wake, { once: true });
      await this.#clock.sleep(seconds, woken.signal);
      signal.removeEventListener('abort', wake);
    }
    this.#wake = null;
    const rung = this.#rung;
    this.#rung = false;
    return rung;
  }
}
