/* eslint-disable @typescript-eslint/require-await -- an error must be a rejection, as with the driver */
import { updateOne } from 'mingo';
import { type Document, MongoServerError, ObjectId } from 'mongodb';

import { DUPLICATE_KEY } from '../../../src/infra/mongo/store-error.ts';
import { difference } from './changes.ts';
import { aggregate, applyPipeline } from './engine.ts';
import { compileFilter } from './filter.ts';
import { projected } from './projection.ts';
import { compareKeys, fromCaller, settle, sortKey, thawed, type Value } from './values.ts';

type Id = unknown;
type Stored = Value & { _id: Id };
export interface Change extends Document {
  operationType: 'insert' | 'update';
}

export interface FindOptions {
  projection?: Document;
  sort?: Document;
  skip?: number;
  limit?: number;
}

export interface UpdateAnswer {
  matchedCount: number;
  upsertedCount: number;
}

/**
 * One collection, in memory, with the part of the driver's interface that the store and the tests
 * use. Each call is carried out at once and as a whole, so none sees another half done.
 */
export class MemoryCollection {
  readonly #documents = new Map<string, Stored>();
  readonly #listeners = new Set<(change: Change) => void>();
  readonly #now: () => number;
  readonly #most: number;
  #changes = 0;

  /** `most`: a capped collection keeps so many documents. */
  constructor(now: () => number, most = Infinity) {
    this.#now = now;
    this.#most = most;
  }

  find(filter: Document = {}, options: FindOptions = {}): { toArray: () => Promise<Document[]> } {
    return { toArray: async () => this.#find(filter, options) };
  }

  async findOne(filter: Document = {}): Promise<Document | null> {
    return this.#find(filter, { limit: 1 })[0] ?? null;
  }

  async countDocuments(filter: Document = {}): Promise<number> {
    return this.#find(filter, {}).length;
  }

  aggregate(pipeline: Document[]): { toArray: () => Promise<Document[]> } {
    return { toArray: async () => carriedOut(pipeline, [...this.#documents.values()]) };
  }

  async insertOne(document: Document): Promise<{ insertedId: ObjectId }> {
    return { insertedId: this.#insert(fromCaller(document) as Value) as ObjectId };
  }

  async insertMany(documents: Document[]): Promise<void> {
    for (const document of documents) this.#insert(fromCaller(document) as Value);
  }

  /** A pipeline as the store's modules send it, or operators as other programs do. */
  async updateOne(
    filter: Document,
    update: Document | Document[],
    options: { upsert?: boolean } = {},
  ): Promise<UpdateAnswer> {
    const [document] = this.#find(filter, { limit: 1 }) as Stored[];
    if (document !== undefined) {
      this.#replace(document, this.#updated(document, update, filter));
      return { matchedCount: 1, upsertedCount: 0 };
    }
    if (options.upsert !== true) return { matchedCount: 0, upsertedCount: 0 };
    // Only plain equalities become fields: the store's upserts have no others.
    const seed = fromCaller(filter) as Value;
    this.#insert(settle(this.#updated(seed, update, filter)) as Value);
    return { matchedCount: 0, upsertedCount: 1 };
  }

  /** Each document that matches, by a pipeline or operators. */
  async updateMany(filter: Document, update: Document | Document[]): Promise<void> {
    for (const document of this.#find(filter, {}) as Stored[]) {
      this.#replace(document, this.#updated(document, update, filter));
    }
  }

  async deleteMany(filter: Document): Promise<void> {
    for (const document of this.#find(filter, {})) this.#documents.delete(keyOf(document._id));
  }

  /** All documents as they are, in the order of their insertion. */
  all(): IterableIterator<Readonly<Document>> {
    return this.#documents.values();
  }

  /** Calls back, at once, for each inserted or changed document. */
  listen(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #find(filter: Document, options: FindOptions): Document[] {
    const { projection, sort, skip = 0, limit = Infinity } = options;
    const found: Document[] = [];
    const all = sort === undefined;
    const { _id: id, ...rest } = filter;
    const byId = id !== undefined && (typeof id === 'string' || id instanceof ObjectId);
    const matches = compileFilter(byId ? rest : filter);
    for (const document of byId ? this.#withId(id) : this.#documents.values()) {
      if (!matches(document)) continue;
      found.push(document);
      if (all && found.length >= skip + limit) break;
    }
    const sorted = all ? found : sortedBy(found, sort);
    return sorted.slice(skip, skip + limit).map((document) => projected(document, projection));
  }

  #withId(id: Id): Stored[] {
    const document = this.#documents.get(keyOf(id));
    return document === undefined ? [] : [document];
  }

  #updated(document: Value, update: Document | Document[], filter: Document): Value {
    if (Array.isArray(update)) {
      const pipeline = fromCaller(update) as Document[];
      return applyPipeline(document, pipeline, this.#now());
    }
    const { $currentDate: dates = {}, ...operators } = update;
    const now = new Date(this.#now());
    const times = Object.fromEntries(Object.keys(dates as Value).map((path) => [path, now]));
    const copies = [thawed(document) as Value];
    updateOne(copies, filter, thawed(withTimes(operators, times)) as never);
    return copies[0]!;
  }

  #insert(document: Value): Id {
    const { _id = new ObjectId(), ...rest } = document;
    const key = keyOf(_id);
    if (this.#documents.has(key)) {
      throw new MongoServerError({ message: `duplicate key ${key}`, code: DUPLICATE_KEY });
    }
    const stored = Object.freeze({ _id, ...rest }) as Stored;
    this.#documents.set(key, stored);
    if (this.#documents.size > this.#most) {
      const [oldest] = this.#documents.keys();
      this.#documents.delete(oldest!);
    }
    this.#tell({ operationType: 'insert', documentKey: { _id }, fullDocument: stored });
    return _id;
  }

  #replace(before: Stored, after: Value): void {
    const stored = settle(after) as Stored;
    this.#documents.set(keyOf(before._id), stored);
    if (this.#listeners.size === 0) return;
    const updateDescription = difference(before, stored);
    if (
      Object.values(updateDescription).every((part) => Object.keys(part as object).length === 0)
    ) {
      return;
    }
    this.#tell({ operationType: 'update', documentKey: { _id: before._id }, updateDescription });
  }

  #tell(change: Change): void {
    if (this.#listeners.size === 0) return;
    const event: Change = { ...change, _id: this.#changes++ };
    for (const listener of [...this.#listeners]) listener(event);
  }
}

/** Most pipelines begin as a search does, and find nothing: that much is done here, the rest by mingo. */
function carriedOut(pipeline: readonly Document[], documents: Stored[]): Document[] {
  let found: Document[] = documents;
  for (const [i, { $match: filter, $sort: sort, $limit: limit }] of pipeline.entries()) {
    if (filter !== undefined) found = found.filter(compileFilter(filter as Document));
    else if (sort !== undefined) found = sortedBy(found, sort as Document);
    else if (limit !== undefined) found = found.slice(0, limit as number);
    else return found.length === 0 ? [] : aggregate(found, pipeline.slice(i));
  }
  return found;
}

function withTimes(operators: Document, times: Value): Document {
  if (Object.keys(times).length === 0) return operators;
  return { ...operators, $set: { ...(operators.$set as Value | undefined), ...times } };
}

function keyOf(id: Id): string {
  return id instanceof ObjectId ? id.toHexString() : `${typeof id}:${String(id)}`;
}

function sortedBy(documents: Document[], sort: Document): Document[] {
  const paths = Object.keys(sort).map((path) => path.split('.'));
  const directions = Object.values(sort) as (1 | -1)[];
  const decorated = documents.map((document) => ({
    document,
    keys: paths.map((path) => sortKey(at(document, path))),
  }));
  decorated.sort((a, b) => {
    for (let i = 0; i < directions.length; i++) {
      const order = compareKeys(a.keys[i]!, b.keys[i]!);
      if (order !== 0) return order * directions[i]!;
    }
    return 0;
  });
  return decorated.map(({ document }) => document);
}

function at(value: unknown, path: readonly string[]): unknown {
  let current = value;
  for (const name of path) {
    if (typeof current !== 'object' || current === null) return undefined;
    current = (current as Value)[name];
  }
  return current;
}
