import type { Holder } from '../../src/exclusion/holder.pure.ts';
import type { Displaced, HostNameLock } from '../../src/exclusion/host-name-lock.ts';
import type { Clock } from '../../src/infra/clock/clock.ts';
import { StoreError } from '../../src/infra/mongo/store-error.ts';
import type { Store } from '../../src/ports/store.ts';

/**
 * A host's name that keeps nobody out: two managers of one name live beside each other, as if every
 * lock had failed. What must hold then as well is found out so.
 */
export class OpenNameLock implements HostNameLock {
  readonly holder: Holder;
  readonly #store: Pick<Store, 'hosts'>;
  readonly #clock: Clock;

  constructor(store: Pick<Store, 'hosts'>, clock: Clock, holder: Holder) {
    this.#store = store;
    this.#clock = clock;
    this.holder = holder;
  }

  async take(signal: AbortSignal): Promise<boolean> {
    while (!signal.aborted) {
      try {
        if (await this.#takeOnce()) return true;
      } catch (error) {
        if (!(error instanceof StoreError)) throw error;
        await this.#clock.sleep(1, signal);
      }
    }
    return false;
  }

  async displaced(signal: AbortSignal): Promise<Displaced> {
    await this.take(signal);
    return { kind: 'ours' };
  }

  async #takeOnce(): Promise<boolean> {
    const { host } = this.holder;
    const named = await this.#store.hosts.named(host);
    const status = { host, state: 'busy', holder: this.holder, extras: {} } as const;
    return (await this.#store.hosts.take(status, named?.holder?.instance ?? null)) === 'taken';
  }
}
