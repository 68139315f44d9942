import type { StoreErrorKind } from './store-error.ts';

/** What keeps a collection from growing for ever; `unknown`: this account may not ask. */
export type Bound = 'capped' | 'expiring' | 'none' | 'absent' | 'unknown';

export interface MissingIndex {
  database: string;
  collection: string;
  /** For mongosh, connected to the server in question. */
  command: string;
}

/** What the store reports without being asked. */
export type StoreEvent =
  /** One try of a call has ended, with or without an answer. */
  | { kind: 'called'; database: 'runs' | 'daq'; seconds: number; answered: boolean }
  /** One try of a call got no answer, or one that says: not now. `reason` names database and operation. */
  | { kind: 'missed'; database: 'runs' | 'daq'; operation: string; reason: string }
  /** The server refuses a kind of call, and goes on doing so until a person changes something. */
  | {
      kind: 'refused';
      database: 'runs' | 'daq';
      operation: string;
      reason: string;
      refusal: Extract<StoreErrorKind, 'unauthorized' | 'unsupported'>;
    }
  /** What was refused before is taken now. */
  | { kind: 'granted'; database: 'runs' | 'daq'; operation: string }
  | { kind: 'connection'; database: 'runs' | 'daq'; up: boolean; reason: string | null };

export interface Credentials {
  username: string;
  password: string;
  authSource?: string;
}

export interface StoreOptions {
  /** `mongodb://...`; user and password in it are refused: they belong in a credentials file. */
  runsUrl: string;
  /** Null: the same server as `runsUrl`. */
  daqUrl: string | null;
  runsDb: string;
  daqDb: string;
  runsCredentials: Credentials | null;
  daqCredentials: Credentials | null;
  /** May we create indexes and collections there? */
  manage: boolean;
  /** Nothing is written, by whatever part of the program. */
  readOnly?: boolean;
  callTimeoutSeconds: number;
}
