import type { Document } from 'mongodb';

import type { Store } from '../../src/ports/store.ts';
import { parseRun } from '../../src/run/run.pure.ts';
import type { RunDocument } from '../../src/run/run-document.port.ts';
import { ABANDON_TAG } from '../../src/run/run-tags.pure.ts';
import { seenOf } from '../../src/run/stored-runs.ts';
import type { Random } from './random.ts';
import type { MemoryDatabase } from './store/index.ts';

export interface PeopleOptions {
  random: Random;
  database: MemoryDatabase;
  /** The store as the commands have it. */
  store: Store;
  carriedOut: (author: string) => void;
  tell: (what: string) => void;
  maxFailures: number;
  /** They call runs done that nobody has made anything of. */
  careless: boolean;
}

/** Who writes at the command line. */
export const CONSOLE = 'console';

/** Operators at the command line, and the website, which writes as it likes. */
export class People {
  readonly #options: PeopleOptions;

  constructor(options: PeopleOptions) {
    this.#options = options;
  }

  /** Somebody does something to some run. */
  async act(): Promise<void> {
    const { random, database, tell } = this.#options;
    const documents = [...database.runs.all()];
    if (documents.length === 0) return;
    const document = random.pick(documents) as RunDocument;
    const what = random.pick([
      'hold',
      'hold',
      'release',
      'release',
      'fail',
      'abandon',
      'retry',
      'retry',
      'tag abandon',
      'tag abandon',
      'tag messy',
      'abandon by hand',
      'fail by hand',
      'reset by hand',
      'take tags away',
      'set status',
      ...(this.#options.careless ? (['done by hand', 'done by hand'] as const) : []),
    ] as const);
    tell(`${what} run ${String(seenOf(document).number)}`);
    switch (what) {
      case 'hold':
        await this.#options.store.runs.hold(seenOf(document), 'operator');
        return;
      case 'release':
        await this.#options.store.runs.release(seenOf(document));
        return;
      case 'fail':
      case 'abandon':
      case 'retry':
        return this.#command(what, document);
      case 'tag abandon':
        return this.#tag(document, ABANDON_TAG);
      case 'tag messy':
        return this.#tag(document, 'messy');
      case 'abandon by hand':
        return this.#write(document, { $set: { 'bootstrax.state': 'abandoned' } });
      case 'fail by hand':
        return this.#write(document, {
          $set: {
            'bootstrax.state': 'failed',
            'bootstrax.n_failures': random.int(3) + 7,
            'bootstrax.next_retry': new Date(database.now()),
          },
        });
      case 'done by hand':
        return this.#write(document, { $set: { 'bootstrax.state': 'done' } });
      case 'reset by hand':
        return this.#write(document, { $set: { bootstrax: { state: null } } });
      case 'take tags away':
        return this.#write(document, { $set: { tags: [] } });
      case 'set status':
        if (stateOf(document) !== 'done') return;
        return this.#write(document, { $set: { status: 'eb_ready_to_upload' } });
    }
  }

  async #command(what: 'fail' | 'abandon' | 'retry', document: RunDocument): Promise<void> {
    const { store, random, maxFailures } = this.#options;
    const seen = seenOf(document);
    const parsed = parseRun(document);
    const { state, failures } =
      parsed.kind === 'run' ? parsed.run.bootstrax : parsed.malformed.bootstrax;
    switch (what) {
      case 'abandon':
        await store.runs.settle(seen, CONSOLE, { kind: 'abandoned', reason: null });
        return;
      case 'fail':
        await store.runs.settle(
          seen,
          CONSOLE,
          failures + 1 >= maxFailures
            ? { kind: 'given_up', reason: 'a person', failures: maxFailures }
            : { kind: 'failed', reason: 'a person', failures: failures + 1, delaySeconds: 20 },
        );
        return;
      case 'retry':
        if (state !== 'failed' && state !== 'done') return;
        await store.runs.retry(seen, CONSOLE, random.chance(0.3) ? 0 : Math.min(failures, 9));
    }
  }

  #tag(document: Document, name: string): Promise<void> {
    // The website does not tag a run that it cannot show.
    if ('tags' in document && !Array.isArray(document.tags)) return Promise.resolve();
    const date = new Date(this.#options.database.now());
    return this.#write(document, { $push: { tags: { name, user: 'website', date } } });
  }

  async #write(document: Document, update: Document): Promise<void> {
    const { bootstrax } = document as { bootstrax?: unknown };
    if (bootstrax !== undefined && (typeof bootstrax !== 'object' || bootstrax === null)) return;
    await this.#options.database.runs.updateOne({ _id: document._id as unknown }, update);
    this.#options.carriedOut('website');
  }
}

function stateOf(document: Document): unknown {
  return (document.bootstrax as { state?: unknown } | null)?.state;
}
