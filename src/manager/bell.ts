/**
 * Wakes the manager's loop. A ring carries no content: whoever is woken reads the whole present
 * state, so that a lost, doubled or late ring makes no difference but time.
 */
export class Bell {
  #rung = false;
  #wake: (() => void) | null = null;

  ring(): void {
    this.#rung = true;
    this.#wake?.();
  }

  /** Returns at the next ring (at once if one came since the last wait) or after `seconds`. */
  async wait(seconds: number, signal: AbortSignal): Promise<void> {
    if (!this.#rung && !signal.aborted) {
      await new Promise<void>((resolve) => {
        let timer: NodeJS.Timeout | undefined = undefined;
        const wake = () => {
          clearTimeout(timer);
          signal.removeEventListener('abort', wake);
          resolve();
        };
        this.#wake = wake;
        signal.addEventListener('abort', wake, { once: true });
        timer = setTimeout(wake, seconds * 1000);
      });
    }
    this.#wake = null;
    this.#rung = false;
  }
}
