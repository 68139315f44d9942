import type { ChangeStream, ChangeStreamUpdateDocument } from 'mongodb';

import type { Lab } from '../support/lab.ts';

/** Writer of a state without anything beside it: so begins the reference's claim. */
export const HALF_A_CLAIM = 'the first half of a claim of the reference';

/** `runs.bootstrax` as an onlooker knows it, and who wrote it last. */
export interface Known {
  number: number;
  state: string | null;
  host: string | null;
  attempt: string | null;
  failures: number;
  writer: string | null;
  /** When the document was last written as a claim or heartbeat, ms on this process' clock. */
  at: number;
}

/** One write to a run document, as it came through the change stream. */
export interface Write {
  at: number;
  run: number;
  writer: string | null;
  before: Known;
  after: Known;
  fields: string[];
}

interface Bootstrax {
  state?: string | null;
  host?: string;
  attempt?: string;
  n_failures?: number;
}

/** Writes down every change of every run document, in order, with its writer. */
export class Observer {
  readonly writes: Write[] = [];
  readonly #documents = new Map<string, { number: number; bootstrax: Bootstrax; known: Known }>();
  readonly #stream: ChangeStream;
  readonly #reading: Promise<void>;
  #failure: unknown = null;

  private constructor(stream: ChangeStream) {
    this.#stream = stream;
    this.#reading = this.#read().catch((error: unknown) => {
      if (!stream.closed) this.#failure = error;
    });
  }

  /** Watches from now on; documents that are there already are read first. */
  static async watch(lab: Lab): Promise<Observer> {
    const observer = new Observer(lab.runs.watch([], { batchSize: 100 }));
    for await (const run of lab.runs.find()) observer.#begin(String(run._id), run);
    return observer;
  }

  async end(): Promise<void> {
    await this.#stream.close();
    await this.#reading;
    if (this.#failure) throw this.#failure as Error;
  }

  /** All writes to one run, for a message. */
  story(run: number): string {
    return this.writes
      .filter((write) => write.run === run)
      .map(({ at, writer, after, fields }) => {
        const { state, host, attempt, failures } = after;
        return `${(at / 1000).toFixed(2)} ${writer} -> ${state} ${host} ${attempt} ${failures} [${fields.join(' ')}]`;
      })
      .join('\n');
  }

  #begin(id: string, run: { number: number; bootstrax?: Bootstrax | null }): void {
    const bootstrax = { ...run.bootstrax };
    this.#documents.set(id, {
      number: run.number,
      bootstrax,
      known: known(run.number, bootstrax, null),
    });
  }

  async #read(): Promise<void> {
    for await (const change of this.#stream) {
      if (change.operationType === 'insert') {
        const document = change.fullDocument as { number: number; bootstrax?: Bootstrax };
        this.#begin(String(change.documentKey._id), document);
      }
      if (change.operationType === 'update') this.#update(change);
    }
  }

  #update(change: ChangeStreamUpdateDocument): void {
    const entry = this.#documents.get(String(change.documentKey._id));
    if (entry === undefined) return;
    const { updatedFields = {}, removedFields = [] } = change.updateDescription;
    const fields = [...Object.keys(updatedFields), ...removedFields];
    const bootstrax = apply(entry.bootstrax, updatedFields, removedFields);
    const touched = fields.some((field) => /^bootstrax($|\.)/.test(field));
    const before = entry.known;
    const writer = touched ? writerOf(fields, bootstrax) : null;
    const after = touched ? known(entry.number, bootstrax, writer) : before;
    entry.bootstrax = bootstrax;
    entry.known = after;
    this.writes.push({ at: performance.now(), run: entry.number, writer, before, after, fields });
  }
}

/**
 * The host that the document names, where it is named. The reference replaces `bootstrax` as a
 * whole, save for the first half of its claim; who changes parts of it is ours, whatever host the
 * document names.
 */
function writerOf(fields: readonly string[], { state, host }: Bootstrax): string | null {
  if (fields.join() === 'bootstrax.state' && state === 'considering') return HALF_A_CLAIM;
  const inParts = fields.some((field) => field.startsWith('bootstrax.'));
  return inParts ? `ours, as ${host}` : (host ?? null);
}

function known(number: number, bootstrax: Bootstrax, writer: string | null): Known {
  return {
    number,
    state: bootstrax.state ?? null,
    host: bootstrax.host ?? null,
    attempt: bootstrax.attempt ?? null,
    failures: bootstrax.n_failures ?? 0,
    writer,
    at: performance.now(),
  };
}

function apply(
  bootstrax: Bootstrax,
  updated: Record<string, unknown>,
  removed: readonly string[],
): Bootstrax {
  let result: Record<string, unknown> = { ...bootstrax };
  for (const [field, value] of Object.entries(updated)) {
    if (field === 'bootstrax') result = { ...(value as object) };
    else if (field.startsWith('bootstrax.')) result[field.slice('bootstrax.'.length)] = value;
  }
  for (const field of removed) delete result[field.slice('bootstrax.'.length)];
  return result;
}
