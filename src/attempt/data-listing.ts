import type { Folder } from './attempt.pure.ts';
import type { DataRegistration, Fence } from '../run/run.port.ts';
import type { Environment } from '../ports/environment.ts';
import { isOfDatabase, isUnfit } from '../ports/persist.ts';

/** Lists the folders of one attempt in its run document as they appear, one write at a time. */
export class DataListing {
  readonly #env: Environment;
  /** The attempt's fence as it is now; null when nothing may be listed any more. */
  readonly #owner: () => Fence | null;
  readonly #onLost: () => void;
  readonly #folders = new Map<string, Folder>();
  readonly #listed = new Set<string>();
  #before: readonly string[] = [];
  /** The document takes no more entries. */
  #full = false;
  #writing: Promise<void> = Promise.resolve();

  /** `onLost` is called when the run turns out to be somebody else's. */
  constructor(env: Environment, owner: () => Fence | null, onLost: () => void) {
    this.#env = env;
    this.#owner = owner;
    this.#onLost = onLost;
  }

  /** What the run document lists already of this attempt, by an earlier manager. */
  listedBefore(locations: readonly string[]): void {
    this.#before = locations;
  }

  add(folder: Folder): void {
    this.#folders.set(folder.location, folder);
    this.write();
  }

  /** What an outage keeps from being listed is listed by the next call, or at the end. */
  write(): void {
    this.#writing = this.#writing.then(async () => {
      const fresh: DataRegistration[] = [...this.#folders.values()]
        .filter(({ location }) => !this.#listed.has(location))
        .map(({ type, location, lineage }) => ({ type, location, lineage }));
      const owner = this.#owner();
      if (fresh.length === 0 || owner === null || this.#full) return;
      try {
        const landed = await this.#env.store.runs.registerData(owner, fresh);
        if (landed === 'superseded') return this.#onLost();
        for (const { location } of fresh) this.#listed.add(location);
      } catch (error) {
        if (!isOfDatabase(error)) throw error;
        if (isUnfit(error)) this.#refused(error.message);
      }
    });
  }

  /** What the document does not take now is tried once more with the conclusion. */
  #refused(problem: string): void {
    this.#full = true;
    const message = `folders are not listed while they are written: the database refuses it: ${problem}`;
    this.#env.log.warn({ event: 'data.unlisted', problem }, message);
  }

  /** Waits for the write that is under way; answers all locations that were ever listed or begun. */
  async settled(): Promise<string[]> {
    await this.#writing;
    return [...new Set([...this.#before, ...this.#folders.keys()])];
  }
}
