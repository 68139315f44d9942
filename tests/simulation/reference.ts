import type { Document, ObjectId } from 'mongodb';

import { parseRun } from '../../src/run/run.pure.ts';
import { HOLD_TAG } from '../../src/run/run-tags.pure.ts';
import { FINISHED_STATUS } from '../../src/run/run-updates.ts';
import type { SimulatedHost } from './host.ts';
import { entriesOf } from './losses.ts';
import { Process } from './process.ts';
import type { Random } from './random.ts';
import { ReferenceChild } from './reference-child.ts';
import type { MemoryDatabase } from './store/index.ts';
import type { Time } from './time.ts';

export interface ReferenceOptions {
  time: Time;
  random: Random;
  database: MemoryDatabase;
  carriedOut: (author: string) => void;
  tell: (what: string) => void;
  /** A host that has a manager of ours as well; null: one of its own. */
  home: SimulatedHost | null;
}

const OWN_HOST = 'eb9.xenon.local';
/** What it writes to the database is nobody's of ours, whatever host it runs on. */
export const REFERENCE = 'reference';

/**
 * A manager of the program before this one, in the same fleet: claims in two writes, rewrites the
 * whole sub-document from memory by `_id`, fields that it does not know among it, cleans up after
 * others, and may go or stand still between any two of its writes.
 */
export class ReferenceManager {
  readonly #options: ReferenceOptions;
  readonly #name: string;
  #process: Process;
  #cleanedAt = 0;

  constructor(options: ReferenceOptions) {
    this.#options = options;
    this.#name = options.home?.name ?? OWN_HOST;
    this.#process = new Process(options.time);
  }

  get home(): SimulatedHost | null {
    return this.#options.home;
  }

  start(): void {
    this.#options.tell('starts');
    this.#process.kill();
    this.#process = new Process(this.#options.time);
    void this.#loop(this.#process);
  }

  kill(): void {
    this.#options.tell('killed');
    this.#process.kill();
  }

  pause(seconds: number): void {
    this.#options.tell(`stands still for ${seconds.toFixed(0)} s`);
    const process = this.#process;
    process.stop();
    this.#options.time.after(seconds, () => process.goOn());
  }

  async #loop(process: Process): Promise<void> {
    for (;;) {
      await process.wait(10);
      const fresh = await this.#claim({ 'bootstrax.state': null, 'tags.name': { $ne: HOLD_TAG } });
      if (fresh !== null) {
        await this.#process_(process, fresh);
        continue;
      }
      if (this.#options.time.seconds - this.#cleanedAt > 60) {
        this.#cleanedAt = this.#options.time.seconds;
        await this.#cleanUp(process);
      }
      const due = await this.#claim({
        'bootstrax.state': 'failed',
        'bootstrax.n_failures': { $lt: 10 },
        'bootstrax.next_retry': { $lt: this.#now() },
      });
      if (due !== null) await this.#process_(process, due);
    }
  }

  #now(): Date {
    return new Date(this.#options.database.now());
  }

  async #write(filter: Document, update: Document): Promise<number> {
    const { matchedCount } = await this.#options.database.runs.updateOne(filter, update);
    this.#options.carriedOut(REFERENCE);
    return matchedCount;
  }

  /** First the state alone; host and time with the next write. */
  async #claim(filter: Document): Promise<Document | null> {
    const [document] = await this.#options.database.runs
      .find(filter, { sort: { start: -1 }, limit: 1 })
      .toArray();
    if (document === undefined) return null;
    // It would crash on a malformed one, which is nothing new.
    if (parseRun(document).kind === 'malformed') return null;
    await this.#write(
      { _id: document._id as unknown },
      { $set: { 'bootstrax.state': 'considering' } },
    );
    this.#options.tell(`claims run ${String(document.number)}`);
    return document;
  }

  async #set(document: Document, fields: Document): Promise<void> {
    const kept = document.bootstrax as Document;
    document.bootstrax = { ...kept, ...fields, host: this.#name, time: this.#now() };
    await this.#write(
      { _id: document._id as ObjectId },
      { $set: { bootstrax: document.bootstrax as Document } },
    );
  }

  async #process_(process: Process, found: Document): Promise<void> {
    const document = { ...found };
    await process.wait(this.#options.random.between(0.01, 0.5));
    await this.#set(document, { state: 'considering' });
    await process.wait(this.#options.random.between(1, 20));
    await this.#clean(document);
    const child = this.#startChild(document);
    while (!child.over) {
      await this.#set(document, { state: 'busy', started_processing: this.#now() });
      await process.wait(10);
    }
    if (!child.well) {
      await this.#fail(document);
      return;
    }
    await this.#set(document, { state: 'done' });
    await process.wait(this.#options.random.between(0.01, 3));
    await this.#write(
      { _id: document._id as ObjectId, status: { $in: [null, 'needs_upload'] } },
      { $set: { status: FINISHED_STATUS } },
    );
  }

  /** Its entries of the run, and their folders. */
  async #clean(document: Document): Promise<void> {
    const { home, database } = this.#options;
    const now = await database.runs.findOne({ _id: document._id as ObjectId });
    for (const { host, location } of entriesOf(now ?? {})) {
      if (host !== this.#name || typeof location !== 'string') continue;
      home?.disk.removeOutput(location);
      await this.#write(
        { _id: document._id as ObjectId },
        { $pull: { data: { host: this.#name, location } } },
      );
    }
  }

  #startChild(document: Document): ReferenceChild {
    const { time, random, home } = this.#options;
    const process = this.#process;
    const child = new ReferenceChild({
      ...{ time, random, home, run: Number(document.number), name: this.#name },
      isOrphan: () => !process.alive,
      register: (entry) => {
        void this.#write({ _id: document._id as ObjectId }, { $push: { data: entry } });
      },
    });
    home?.foreigners.add(child);
    return child;
  }

  async #fail(document: Document): Promise<void> {
    await this.#clean(document);
    const { n_failures: before = 0 } = document.bootstrax as { n_failures?: number };
    await this.#set(document, {
      state: 'failed',
      reason: `${this.#name}:\nfailed\n`,
      n_failures: before + 1,
      next_retry: new Date(
        this.#options.database.now() + this.#options.random.between(10, 60) * 1000,
      ),
    });
  }

  async #cleanUp(process: Process): Promise<void> {
    const now = this.#options.database.now();
    for (const [state, seconds] of [
      ['considering', 60],
      ['busy', 120],
    ] as const) {
      const stale = await this.#claim({
        'bootstrax.state': state,
        'bootstrax.time': { $lt: new Date(now - seconds * 1000) },
      });
      if (stale === null) continue;
      this.#options.tell(`fails run ${String(stale.number)} as stale`);
      const document = { ...stale };
      await process.wait(this.#options.random.between(0.01, 0.5));
      await this.#fail(document);
    }
  }
}
