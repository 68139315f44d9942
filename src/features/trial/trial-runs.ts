import { MongoClient, type Document } from 'mongodb';

import type { RunDocument } from '../../run/run.port.ts';
import { RUNS_COLLECTION } from '../../run/run.store.ts';

/**
 * The runs of a trial, in a database of its own that is thrown away: copies of documents of another
 * database, which is only read.
 */
export class TrialRuns {
  readonly #client: MongoClient;
  readonly #database: string;

  constructor(url: string, database: string) {
    this.#client = new MongoClient(url, { directConnection: true });
    this.#database = database;
  }

  /** As a new run, with nothing of what was made of it but where its live data lies. */
  async copy({ _id, ...document }: RunDocument): Promise<void> {
    await this.#runs().replaceOne({ _id }, asNewRun(document), { upsert: true });
  }

  /** What the DAQ has written since: the end of the run, and its rate. */
  async setEnd({ _id, end, rate }: RunDocument): Promise<void> {
    const rates = rate === undefined ? {} : { rate };
    await this.#runs().updateOne({ _id }, { $set: { end, ...rates } });
  }

  async close(): Promise<void> {
    await this.#client.close();
  }

  #runs() {
    return this.#client.db(this.#database).collection(RUNS_COLLECTION);
  }
}

/** Without state, status and tags; `data` keeps its live entries. */
export function asNewRun(document: Record<string, unknown>): Document {
  const { bootstrax, status, tags, data, deleted_data, ...facts } = document;
  const entries: unknown[] = Array.isArray(data) ? data : [];
  const live = entries.filter((entry) => (entry as { type?: unknown } | null)?.type === 'live');
  return { ...facts, ...(Array.isArray(data) ? { data: live } : {}), bootstrax: { state: null } };
}
