import type { Holder } from '../../src/exclusion/holder.pure.ts';
import { HostPlace } from '../../src/exclusion/host-place.ts';
import type { Displaced, ManagerPlace } from '../../src/exclusion/place.ts';
import type { Managers } from './managers.ts';
import type { Process } from './process.ts';

/** As the real one: the state folder is locked first, then the host's document is taken. */
export class ExclusivePlace implements ManagerPlace {
  readonly holder: Holder;
  readonly #managers: Managers;
  readonly #process: Process;
  readonly #meeting: HostPlace;

  constructor(
    env: ConstructorParameters<typeof HostPlace>[0],
    holder: Holder,
    { managers, process }: { managers: Managers; process: Process },
  ) {
    this.holder = holder;
    this.#managers = managers;
    this.#process = process;
    this.#meeting = new HostPlace(env, holder, managers.othersOf(process));
  }

  async enter(signal: AbortSignal): Promise<boolean> {
    await this.#managers.lock(this.holder, this.#process);
    return signal.aborted ? false : this.#meeting.enter(signal);
  }

  displaced(signal: AbortSignal): Promise<Displaced> {
    return this.#meeting.displaced(signal);
  }
}
