import { DatabaseNameLock } from '../../src/exclusion/database-name-lock.ts';
import type { Holder } from '../../src/exclusion/holder.pure.ts';
import type { Displaced, HostNameLock } from '../../src/exclusion/host-name-lock.ts';
import type { Managers } from './managers.ts';
import type { Process } from './process.ts';

/** As the real one: the state folder is locked first, then the host's document is taken. */
export class ExclusiveNameLock implements HostNameLock {
  readonly holder: Holder;
  readonly #managers: Managers;
  readonly #process: Process;
  readonly #meeting: DatabaseNameLock;

  constructor(
    env: ConstructorParameters<typeof DatabaseNameLock>[0],
    holder: Holder,
    { managers, process }: { managers: Managers; process: Process },
  ) {
    this.holder = holder;
    this.#managers = managers;
    this.#process = process;
    this.#meeting = new DatabaseNameLock(env, holder, managers.othersOf(process));
  }

  async take(signal: AbortSignal): Promise<boolean> {
    await this.#managers.lock(this.holder, this.#process);
    return signal.aborted ? false : this.#meeting.take(signal);
  }

  displaced(signal: AbortSignal): Promise<Displaced> {
    return this.#meeting.displaced(signal);
  }
}
