import type { HostView } from '../../host/host-document.pure.ts';
import type { Clock } from '../../infra/clock/clock.ts';
import { untilAborted } from '../../infra/concurrency/until-aborted.ts';
import type { Rules } from '../../infra/config/rules.pure.ts';
import type { Store } from '../../ports/store.ts';
import type { HostCard } from '../hosts.pure.ts';
import { HostReader } from '../readings.ts';

/** The hosts as they were read last: what other panels say depends on them. */
export class FleetReader {
  readonly #reader: HostReader;
  readonly #first: Promise<void>;
  #firstIsRead: () => void = () => undefined;
  #views: readonly HostView[] = [];
  #cards: HostCard[] = [];

  /** `signal`: nobody waits for the first reading any more. */
  constructor({ clock, signal }: { clock: Pick<Clock, 'monotonicSeconds'>; signal: AbortSignal }) {
    this.#reader = new HostReader(clock);
    const read = new Promise<void>((resolve) => (this.#firstIsRead = resolve));
    this.#first = Promise.race([read, untilAborted(signal)]);
  }

  get views(): readonly HostView[] {
    return this.#views;
  }

  async read(store: Store, rules: Rules, now: Date): Promise<HostCard[]> {
    const { views, cards } = await this.#reader.read(store, rules, now);
    this.#views = views;
    this.#cards = cards;
    this.#firstIsRead();
    return cards;
  }

  /** Waits for the first reading: without it nobody can say that all is well. */
  async cards(): Promise<HostCard[]> {
    await this.#first;
    return this.#cards;
  }
}
