import type { Document } from 'mongodb';

import type { Disk, OutputFolder } from './disk.ts';
import type { SimulatedHost } from './host.ts';
import { fieldsOf } from './invariants.ts';
import type { MemoryDatabase } from './store/index.ts';

interface Entry {
  host?: unknown;
  type?: unknown;
  location?: unknown;
}

/** What a done run lists stays, and is what the attempt that concluded it has made. */
export class Losses {
  readonly #database: MemoryDatabase;
  /** By each of their names. */
  readonly #hosts: ReadonlyMap<string, SimulatedHost>;
  readonly #violated: (invariant: string, what: string) => void;

  constructor(
    database: MemoryDatabase,
    hosts: ReadonlyMap<string, SimulatedHost>,
    violated: (invariant: string, what: string) => void,
  ) {
    this.#database = database;
    this.#hosts = hosts;
    this.#violated = violated;
  }

  /** A program of ours on `host` is about to remove or replace a folder. */
  removes(host: SimulatedHost, folder: OutputFolder): void {
    if (!folder.finished) return;
    for (const document of this.#database.runs.all()) {
      if (fieldsOf(document).state !== 'done' || !this.#lists(document, host.disk, folder))
        continue;
      this.#violated(
        'finished products stay',
        `${host.name} removes ${folder.location} of ${folder.attempt}, which run ${String(document.number)} (${String(document._id)}) lists, done by ${String(fieldsOf(document).last_attempt)}`,
      );
    }
  }

  #lists(document: Document, { output }: Disk, { location }: OutputFolder): boolean {
    return entriesOf(document).some(
      (entry) =>
        entry.location === location && this.#hosts.get(String(entry.host))?.disk.output === output,
    );
  }

  /** A status that hands the run on has been written by one of ours. */
  certified(document: Document, by: string): void {
    const { host: finisher } = fieldsOf(document);
    const products = entriesOf(document).filter(
      ({ type, host, location }) =>
        type !== 'live' && host === finisher && typeof location === 'string',
    );
    const say = (what: string) =>
      this.#violated(
        'only what is there is certified',
        `run ${String(document.number)}: ${by} hands it on, ${what}`,
      );
    if (products.length === 0) return say(`but it lists no product of ${String(finisher)}`);
    const { output } = this.#hosts.get(by)?.disk ?? {};
    for (const { host, location } of products) {
      const { disk } = this.#hosts.get(String(host)) ?? {};
      // What lies on other machines cannot be looked at.
      if (disk?.output !== output) continue;
      if (disk !== undefined && disk.output.get(String(location))?.finished !== true) {
        say(`but ${String(location)} is not on the disk of ${String(host)}`);
      }
    }
  }

  /** Whether something that a run lists for the host that has done it does not lie whole on its disk. */
  lacksProduct(document: Document): boolean {
    const { host: finisher } = fieldsOf(document);
    const disk = this.#hosts.get(String(finisher))?.disk;
    return entriesOf(document).some(
      ({ type, host, location }) =>
        type !== 'live' &&
        host === finisher &&
        disk?.output.get(String(location))?.finished !== true,
    );
  }

  /** The products of a done run are of one attempt alone, the one that has concluded it. */
  madeBy(document: Document, attempt: string): void {
    const disk = this.#hosts.get(String(fieldsOf(document).host))?.disk;
    if (disk === undefined) return;
    for (const entry of entriesOf(document)) {
      const folder = disk.output.get(String(entry.location));
      if (this.#hosts.get(String(entry.host))?.disk !== disk || folder === undefined) continue;
      if (folder.attempt === attempt && folder.makers.size === 1) continue;
      this.#violated(
        'products of one attempt',
        `run ${String(document.number)}, done by ${attempt}: ${folder.location} was written by ${[...folder.makers].join(', ')}`,
      );
    }
  }
}

export function entriesOf(document: Document): Entry[] {
  const { data } = document as { data?: unknown };
  return Array.isArray(data) ? (data as Entry[]) : [];
}
