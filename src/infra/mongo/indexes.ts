import type { Db, IndexDescriptionInfo } from 'mongodb';

import type { Caller } from './call.ts';
import type { MissingIndex } from './connection.port.ts';
import { StoreError } from './store-error.ts';

/** An index that the program's queries rely on. */
export interface IndexSpec {
  database: 'runs' | 'daq';
  collection: string;
  name: string;
  key: Record<string, 1 | -1>;
}

export type Databases = Record<'runs' | 'daq', { db: () => Db; caller: Caller }>;

const NAMESPACE_NOT_FOUND = 26;
/** A server reads the whole collection for an index: of years of runs, minutes. */
const BUILD_SECONDS = 1800;

/** Those of `specs` that the server has under no name. */
export async function findMissing(
  databases: Databases,
  specs: readonly IndexSpec[],
): Promise<IndexSpec[]> {
  const missing: IndexSpec[] = [];
  const known = new Map<string, [string, unknown][][]>();
  for (const spec of specs) {
    const place = `${spec.database}.${spec.collection}`;
    const keys = known.get(place) ?? (await existingKeys(databases, spec));
    known.set(place, keys);
    if (!keys.some((key) => serves(key, Object.entries(spec.key)))) missing.push(spec);
  }
  return missing;
}

/** A longer index, or one read backwards, does as well. */
function serves(existing: [string, unknown][], wanted: [string, number][]): boolean {
  const reversed = wanted[0] !== undefined && existing[0]?.[1] === -wanted[0][1] ? -1 : 1;
  return wanted.every(
    ([field, direction], i) =>
      existing[i]?.[0] === field && existing[i][1] === direction * reversed,
  );
}

async function existingKeys(databases: Databases, spec: IndexSpec): Promise<[string, unknown][][]> {
  const { db, caller } = databases[spec.database];
  try {
    const indexes = await caller.repeatable(`listing the indexes of ${spec.collection}`, () =>
      db().collection(spec.collection).indexes(),
    );
    return indexes
      .filter(servesAllQueries)
      .map((index) => Object.entries(index.key as Record<string, unknown>));
  } catch (error) {
    if (error instanceof StoreError && error.code === NAMESPACE_NOT_FOUND) return [];
    throw error;
  }
}

/** Some leave documents out, are not used, or compare in another way than our queries do. */
function servesAllQueries(index: IndexDescriptionInfo): boolean {
  const { partialFilterExpression, hidden, sparse, collation } = index;
  const locale = (collation as { locale?: string } | undefined)?.locale ?? 'simple';
  return (
    partialFilterExpression === undefined &&
    hidden !== true &&
    sparse !== true &&
    locale === 'simple'
  );
}

export async function createIndexes(
  databases: Databases,
  specs: readonly IndexSpec[],
): Promise<void> {
  for (const spec of specs) {
    const { db, caller } = databases[spec.database];
    const operation = `creating index ${spec.name} of ${spec.collection}`;
    await caller.lasting(operation, BUILD_SECONDS, () =>
      db().collection(spec.collection).createIndex(spec.key, { name: spec.name }),
    );
  }
}

export function asCommand(databases: Databases, spec: IndexSpec): MissingIndex {
  const database = databases[spec.database].db().databaseName;
  const arguments_ = `${JSON.stringify(spec.key)}, ${JSON.stringify({ name: spec.name })}`;
  return {
    database,
    collection: spec.collection,
    command: `db.getSiblingDB(${JSON.stringify(database)}).getCollection(${JSON.stringify(spec.collection)}).createIndex(${arguments_})`,
  };
}
