/** Failures of one address, and of one name from all addresses, before it has to wait. */
const FAILURES_OF_ADDRESS = 10;
const FAILURES_OF_NAME = 30;
const WINDOW_SECONDS = 900;
/** What is remembered is bounded, however many addresses and names are tried. */
const MOST_REMEMBERED = 10_000;

interface Failures {
  count: number;
  sinceSeconds: number;
}

/**
 * Slows down those who guess passwords: after ten failures within 15 min an address waits for the
 * rest of them, after thirty from anywhere a name does. `nowSeconds` is monotonic.
 */
export class LoginLimit {
  readonly #failures = new Map<string, Failures>();

  /** Seconds to wait before the next try; 0: none. */
  waitSeconds(address: string, name: string, nowSeconds: number): number {
    return Math.max(
      this.#waitOf(`address:${address}`, FAILURES_OF_ADDRESS, nowSeconds),
      this.#waitOf(`name:${name}`, FAILURES_OF_NAME, nowSeconds),
    );
  }

  /** Counts a try before its password is checked, so that simultaneous tries count as well. */
  begun(address: string, name: string, nowSeconds: number): void {
    for (const key of [`address:${address}`, `name:${name}`]) {
      const known = this.#known(key, nowSeconds);
      this.#failures.delete(key);
      this.#failures.set(key, {
        count: (known?.count ?? 0) + 1,
        sinceSeconds: known?.sinceSeconds ?? nowSeconds,
      });
    }
    for (const oldest of this.#failures.keys()) {
      if (this.#failures.size <= MOST_REMEMBERED) break;
      this.#failures.delete(oldest);
    }
  }

  /** Takes back what `begun` counted, and no more: an account of one's own opens no way to others. */
  succeeded(address: string, name: string): void {
    for (const key of [`address:${address}`, `name:${name}`]) {
      const known = this.#failures.get(key);
      if (known !== undefined) this.#failures.set(key, { ...known, count: known.count - 1 });
    }
  }

  #waitOf(key: string, most: number, nowSeconds: number): number {
    const known = this.#known(key, nowSeconds);
    if (known === null || known.count < most) return 0;
    return Math.ceil(known.sinceSeconds + WINDOW_SECONDS - nowSeconds);
  }

  #known(key: string, nowSeconds: number): Failures | null {
    const known = this.#failures.get(key);
    if (known === undefined) return null;
    return nowSeconds < known.sinceSeconds + WINDOW_SECONDS ? known : null;
  }
}
