import type { Document, ObjectId } from 'mongodb';

import { FINISHED_STATUS } from '../../src/store/run-updates.ts';
import { parseRun } from '../../src/domain/run.ts';
import { HOLD_TAG } from '../../src/domain/rules.ts';
import { Process } from './process.ts';
import type { Random } from './random.ts';
import type { MemoryDatabase } from './store/index.ts';
import type { Time } from './time.ts';

const NAME = 'eb9.xenon.local';

/**
 * A manager of the program before this one, on a host of its own in the same fleet: claims in two
 * writes, rewrites the whole sub-document from memory by `_id`, cleans up after others, and may go
 * or stand still between any two of its writes.
 */
export class ReferenceManager {
  readonly #time: Time;
  readonly #random: Random;
  readonly #database: MemoryDatabase;
  readonly #carriedOut: (author: string) => void;
  readonly #tell: (what: string) => void;
  #process: Process;
  #cleanedAt = 0;

  constructor(
    time: Time,
    random: Random,
    database: MemoryDatabase,
    carriedOut: (author: string) => void,
    tell: (what: string) => void,
  ) {
    this.#time = time;
    this.#random = random;
    this.#database = database;
    this.#carriedOut = carriedOut;
    this.#tell = tell;
    this.#process = new Process(time);
  }

  start(): void {
    this.#tell('starts');
    this.#process.kill();
    this.#process = new Process(this.#time);
    void this.#loop(this.#process);
  }

  kill(): void {
    this.#tell('killed');
    this.#process.kill();
  }

  pause(seconds: number): void {
    this.#tell(`stands still for ${seconds.toFixed(0)} s`);
    const process = this.#process;
    process.stop();
    this.#time.after(seconds, () => process.goOn());
  }

  async #loop(process: Process): Promise<void> {
    for (;;) {
      await process.wait(10);
      const fresh = await this.#claim({ 'bootstrax.state': null, 'tags.name': { $ne: HOLD_TAG } });
      if (fresh !== null) {
        await this.#process_(process, fresh);
        continue;
      }
      if (this.#time.seconds - this.#cleanedAt > 60) {
        this.#cleanedAt = this.#time.seconds;
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
    return new Date(this.#database.now());
  }

  async #write(filter: Document, update: Document): Promise<number> {
    const { matchedCount } = await this.#database.runs.updateOne(filter, update);
    this.#carriedOut(NAME);
    return matchedCount;
  }

  /** First the state alone; host and time with the next write. */
  async #claim(filter: Document): Promise<Document | null> {
    const [document] = await this.#database.runs
      .find(filter, { sort: { start: -1 }, limit: 1 })
      .toArray();
    if (document === undefined) return null;
    // It would crash on a malformed one, which is nothing new.
    if (parseRun(document).kind === 'malformed') return null;
    await this.#write(
      { _id: document._id as unknown },
      { $set: { 'bootstrax.state': 'considering' } },
    );
    this.#tell(`claims run ${String(document.number)}`);
    return document;
  }

  async #set(document: Document, fields: Document): Promise<void> {
    const kept = document.bootstrax as Document;
    document.bootstrax = { ...kept, ...fields, host: NAME, time: this.#now() };
    await this.#write(
      { _id: document._id as ObjectId },
      { $set: { bootstrax: document.bootstrax as Document } },
    );
  }

  async #process_(process: Process, found: Document): Promise<void> {
    const document = { ...found };
    await process.wait(this.#random.between(0.01, 0.5));
    await this.#set(document, { state: 'considering' });
    await process.wait(this.#random.between(1, 20));
    const until = this.#time.seconds + this.#random.between(5, 60);
    while (this.#time.seconds < until) {
      await this.#set(document, { state: 'busy', started_processing: this.#now() });
      await process.wait(10);
    }
    if (this.#random.chance(0.3)) {
      await this.#fail(document);
      return;
    }
    await this.#set(document, { state: 'done' });
    await process.wait(this.#random.between(0.01, 3));
    await this.#write(
      { _id: document._id as ObjectId, status: { $in: [null, 'needs_upload'] } },
      { $set: { status: FINISHED_STATUS } },
    );
  }

  async #fail(document: Document): Promise<void> {
    const { n_failures: before = 0 } = document.bootstrax as { n_failures?: number };
    await this.#set(document, {
      state: 'failed',
      reason: `${NAME}:\nfailed\n`,
      n_failures: before + 1,
      next_retry: new Date(this.#database.now() + this.#random.between(10, 60) * 1000),
    });
  }

  async #cleanUp(process: Process): Promise<void> {
    const now = this.#database.now();
    for (const [state, seconds] of [
      ['considering', 60],
      ['busy', 120],
    ] as const) {
      const stale = await this.#claim({
        'bootstrax.state': state,
        'bootstrax.time': { $lt: new Date(now - seconds * 1000) },
      });
      if (stale === null) continue;
      this.#tell(`fails run ${String(stale.number)} as stale`);
      const document = { ...stale };
      await process.wait(this.#random.between(0.01, 0.5));
      await this.#fail(document);
    }
  }
}
