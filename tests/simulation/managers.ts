import type { Holder } from '../../src/exclusion/holder.pure.ts';
import type { OtherManagers } from '../../src/exclusion/other-manager.ts';
import type { Process } from './process.ts';

/** How long a manager has that was asked to end, seconds. */
const GRACE_SECONDS = 3;
const LOOK_SECONDS = 0.05;

interface Known {
  process: Process;
  end: () => void;
}

/** The managers of one machine, with the locks of their state folders. */
export class Managers {
  /** By their instance. */
  readonly #known = new Map<string, Known>();
  /** Which instance has locked each state folder. */
  readonly #locks = new Map<string, string>();

  /** A manager has started; `end` is as TERM. */
  add({ instance }: Holder, known: Known): void {
    this.#known.set(instance, known);
  }

  /** As `process` sees them. */
  othersOf(process: Process): OtherManagers {
    return {
      isAlive: ({ instance }) => this.#isAlive(instance),
      end: ({ instance }) => this.#end(instance, process),
    };
  }

  /** Locks a state folder, in place of the manager that has it. */
  async lock({ instance, state_dir: folder }: Holder, process: Process): Promise<void> {
    for (;;) {
      const elder = this.#locks.get(folder);
      if (elder === undefined || elder === instance || !this.#isAlive(elder)) break;
      await this.#end(elder, process);
    }
    this.#locks.set(folder, instance);
  }

  #isAlive(instance: string): boolean {
    return this.#known.get(instance)?.process.alive === true;
  }

  async #end(instance: string, by: Process): Promise<'ended' | 'killed'> {
    const known = this.#known.get(instance);
    // One that stands still does not hear it.
    if (known?.process.stopped === false) known.end();
    for (let waited = 0; waited < GRACE_SECONDS; waited += LOOK_SECONDS) {
      if (!this.#isAlive(instance)) return 'ended';
      await by.wait(LOOK_SECONDS);
    }
    known?.process.kill();
    return 'killed';
  }
}
