import { randomBytes } from 'node:crypto';
import { type Db, type Document, ObjectId } from 'mongodb';

import { monotonicMs, systemClock } from '../../infra/clock/clock.ts';
import { type Caller, createCaller } from '../../infra/mongo/call.ts';
import { type Connection, createConnection } from '../../infra/mongo/client.ts';
import { boundedCollection, type Collection } from '../../infra/mongo/collection.ts';
import type { Credentials } from '../../infra/mongo/connection.port.ts';
import { StoreError } from '../../infra/mongo/store-error.ts';
import type { Store } from '../../ports/store.ts';
import { RUNS_COLLECTION } from '../../run/run.store.ts';
import { openStore } from '../open.ts';

export interface ContractServer {
  /** Without user and password. */
  url: string;
  credentials: Credentials | null;
  callTimeoutSeconds: number;
}

const PREFIX = 'bootstrax_contract_';
/** The scratch database must be removed within this time. */
const DROP_SECONDS = 30;
const DROP_PAUSE_MS = 500;

/** A name that no database has. */
export function scratchName(): string {
  return `${PREFIX}${randomBytes(8).toString('hex')}`;
}

/** A database of its own on a server, and what the checks need to read it from outside. */
export class Scratch {
  readonly name: string;
  readonly caller: Caller;
  readonly #server: ContractServer;
  readonly #connection: Connection;
  readonly #stores: Store[] = [];
  #made = false;

  constructor(server: ContractServer, name: string) {
    this.name = name;
    this.#server = server;
    this.#connection = createConnection('runs', server, () => undefined);
    this.caller = createCaller('runs', server.callTimeoutSeconds, () => undefined);
  }

  get db(): Db {
    return this.#connection.db(this.name);
  }

  /** A client of its own, as each manager has one. */
  store(): Store {
    const store = openStore(
      {
        runsUrl: this.#server.url,
        daqUrl: null,
        runsDb: this.name,
        daqDb: this.name,
        runsCredentials: this.#server.credentials,
        daqCredentials: null,
        manage: true,
        callTimeoutSeconds: this.#server.callTimeoutSeconds,
      },
      () => undefined,
    );
    this.#stores.push(store);
    return store;
  }

  command(database: 'admin' | 'scratch', command: Document): Promise<Document> {
    const name = database === 'admin' ? 'admin' : this.name;
    const what = `command ${Object.keys(command)[0] ?? ''}`;
    return this.caller.once(what, () => this.#connection.db(name).command(command));
  }

  collection(name: string): Collection {
    return boundedCollection(name, () => this.db.collection(name), this.caller);
  }

  /** Inserts as another program does. */
  async insert(name: string, document: Document): Promise<ObjectId> {
    const _id = new ObjectId();
    await this.collection(name).insertOne('contract.insert', { ...document, _id });
    return _id;
  }

  insertRun(document: Document): Promise<ObjectId> {
    return this.insert(RUNS_COLLECTION, document);
  }

  async run(id: ObjectId): Promise<Document> {
    const [document] = await this.collection(RUNS_COLLECTION).find({ _id: id }, { limit: 1 });
    if (document === undefined) throw new Error('a run document that was inserted is not there');
    return document;
  }

  /** Throws unless the server says that there is no database of this name. */
  async begin(): Promise<void> {
    const { databases } = await this.command('admin', { listDatabases: 1, nameOnly: true });
    const names = (databases as { name: string }[]).map(({ name }) => name);
    if (names.includes(this.name)) {
      throw new StoreError(
        'refused',
        `there is a database ${this.name} already: it is left alone. Call again for another name`,
      );
    }
    this.#made = true;
  }

  /** Removes the database, if it is this one's; null, or why it could not be removed. */
  async end(): Promise<string | null> {
    let failure: string | null = null;
    const limit = monotonicMs(systemClock) + DROP_SECONDS * 1000;
    while (this.#made) {
      try {
        await this.caller.once('dropping the scratch database', () => this.db.dropDatabase());
        failure = null;
        break;
      } catch (error) {
        failure = error instanceof Error ? error.message : String(error);
        if (monotonicMs(systemClock) > limit) break;
        await this.caller.pause(DROP_PAUSE_MS);
      }
    }
    await Promise.all([...this.#stores, this.#connection].map((each) => each.close()));
    return failure;
  }
}
