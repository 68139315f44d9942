import { MongoClient } from 'mongodb';

import { asNewRun, laterFields } from '../../run/copied-run.ts';
import { RUNS_COLLECTION } from '../../run/run.store.ts';
import type { RunDocument } from '../../run/run-document.port.ts';

/**
 * The runs of a trial, in a database of its own that is removed afterwards: copies of documents of another
 * database, which is only read.
 */
export class TrialRuns {
  readonly #client: MongoClient;
  readonly #database: string;

  constructor(url: string, database: string) {
    this.#client = new MongoClient(url, { directConnection: true });
    this.#database = database;
  }

  /** A copy as a new run: of its data entries only the live one is kept. */
  async copy(document: RunDocument): Promise<void> {
    const { _id } = document;
    await this.#runs().replaceOne({ _id }, asNewRun(document), { upsert: true });
  }

  /** Copies what the DAQ has written later: the end of the run, and its rate. */
  async setEnd(document: RunDocument): Promise<void> {
    await this.#runs().updateOne({ _id: document._id }, { $set: laterFields(document) });
  }

  async close(): Promise<void> {
    await this.#client.close();
  }

  #runs() {
    return this.#client.db(this.#database).collection(RUNS_COLLECTION);
  }
}
