import type { Bound } from './connection.port.ts';
import type { Databases } from './indexes.ts';
import { StoreError } from './store-error.ts';

/** A collection whose oldest documents make room for new ones, if this program creates it. */
export interface CappedSpec {
  database: 'runs' | 'daq';
  collection: string;
  bytes: number;
  /** Documents that the embedded server keeps: few, since it reads the whole collection at each insertion. */
  embeddedDocuments: number;
  /** By age, where the server caps no collection for us. */
  otherwise: Pick<ExpiringSpec, 'field' | 'keepSeconds'>;
}

/** A collection whose old documents the server removes, if this program creates it. */
export interface ExpiringSpec {
  database: 'runs' | 'daq';
  collection: string;
  /** A date. */
  field: string;
  keepSeconds: number;
}

const NAMESPACE_EXISTS = 48;

/** An existing collection stays as it is. */
export async function createCapped(databases: Databases, spec: CappedSpec): Promise<void> {
  const { database, collection, bytes, embeddedDocuments, otherwise } = spec;
  const { db, caller } = databases[database];
  if (await isThere(databases, spec)) return;
  const most = (await isEmbedded(databases, database)) ? { max: embeddedDocuments } : {};
  try {
    await caller.repeatable(`creating collection ${collection}`, () =>
      db().createCollection(collection, { capped: true, size: bytes, ...most }),
    );
  } catch (error) {
    const { kind, code } = error as Partial<StoreError>;
    // Another manager has created it meanwhile.
    if (code === NAMESPACE_EXISTS) return;
    if (kind !== 'unauthorized' && kind !== 'unsupported') throw error;
    await createExpiring(databases, { database, collection, ...otherwise });
  }
}

/** An existing collection stays as it is. The index creates the collection: there is none without it. */
export async function createExpiring(databases: Databases, spec: ExpiringSpec): Promise<void> {
  const { database, collection, field, keepSeconds } = spec;
  const { db, caller } = databases[database];
  if (await isThere(databases, spec)) return;
  await caller.repeatable(`creating collection ${collection}`, () =>
    db()
      .collection(collection)
      .createIndex({ [field]: 1 }, { name: 'expires', expireAfterSeconds: keepSeconds }),
  );
}

/** What bounds a collection as it is found. Changes nothing. */
export async function boundOf(
  databases: Databases,
  { database, collection }: CappedSpec,
): Promise<Bound> {
  const { db, caller } = databases[database];
  try {
    const [found] = await caller.repeatable(`looking for collection ${collection}`, () =>
      db().listCollections({ name: collection }).toArray(),
    );
    if (found === undefined) return 'absent';
    if ((found as { options?: { capped?: unknown } }).options?.capped === true) return 'capped';
    const indexes = await caller.repeatable(`listing the indexes of ${collection}`, () =>
      db().collection(collection).indexes(),
    );
    const expires = indexes.some(({ expireAfterSeconds }) => expireAfterSeconds !== undefined);
    return expires ? 'expiring' : 'none';
  } catch (error) {
    if (error instanceof StoreError && error.kind === 'unauthorized') return 'unknown';
    throw error;
  }
}

/** For mongosh: what bounds a collection that is there, or creates one that is not. */
export function boundCommand(databases: Databases, spec: CappedSpec, bound: Bound): string {
  const database = `db.getSiblingDB(${JSON.stringify(databases[spec.database].db().databaseName)})`;
  if (bound === 'absent') {
    const options = JSON.stringify({ capped: true, size: spec.bytes });
    return `${database}.createCollection(${JSON.stringify(spec.collection)}, ${options})`;
  }
  const { field, keepSeconds } = spec.otherwise;
  const key = JSON.stringify({ [field]: 1 });
  const options = JSON.stringify({ name: 'expires', expireAfterSeconds: keepSeconds });
  return `${database}.getCollection(${JSON.stringify(spec.collection)}).createIndex(${key}, ${options})`;
}

async function isThere(
  databases: Databases,
  { database, collection }: Pick<CappedSpec, 'database' | 'collection'>,
): Promise<boolean> {
  const { db, caller } = databases[database];
  const found = await caller.repeatable(`looking for collection ${collection}`, () =>
    db()
      .listCollections({ name: collection }, { nameOnly: true, authorizedCollections: true })
      .toArray(),
  );
  return found.length > 0;
}

/** The embedded server says so of itself, wherever it runs. */
async function isEmbedded(databases: Databases, database: 'runs' | 'daq'): Promise<boolean> {
  const { db, caller } = databases[database];
  try {
    const build = await caller.repeatable('reading the kind of the server', () =>
      db().command({ buildInfo: 1 }),
    );
    return typeof build['secantusVersion'] === 'string';
  } catch (error) {
    if (error instanceof StoreError && error.kind === 'unreachable') throw error;
    return false;
  }
}
