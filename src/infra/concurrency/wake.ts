import type { Clock } from '../clock/clock.ts';
import { untilAborted } from './until-aborted.ts';

/**
 * Lets one waiter go on before its time. A notice carries no content: the woken loop reads the whole
 * present state, so that a lost, doubled or late notice makes no difference but time.
 */
export class Wake {
  readonly #clock: Pick<Clock, 'sleep'>;
  #isNotified = false;
  #wake: (() => void) | null = null;

  constructor(clock: Pick<Clock, 'sleep'>) {
    this.#clock = clock;
  }

  notify(): void {
    this.#isNotified = true;
    this.#wake?.();
  }

  /**
   * Returns at the next notice (at once if one came since the last wait), after `seconds` (Infinity: not
   * by itself), or when `signal` is aborted; answers whether there was a notice.
   */
  async wait(seconds: number, signal: AbortSignal): Promise<boolean> {
    if (this.#wake !== null) throw new Error('two wait for the same wake: each needs its own');
    if (!this.#isNotified && !signal.aborted) {
      const woken = new AbortController();
      const wake = () => woken.abort();
      this.#wake = wake;
      signal.addEventListener('abort', wake, { once: true });
      if (seconds === Infinity) await untilAborted(woken.signal);
      else await this.#clock.sleep(seconds, woken.signal);
      signal.removeEventListener('abort', wake);
    }
    this.#wake = null;
    const isNotified = this.#isNotified;
    this.#isNotified = false;
    return isNotified;
  }
}
