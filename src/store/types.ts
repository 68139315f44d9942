import type { StoreErrorKind } from './errors.ts';
import type { ActionStore } from './types/actions.ts';
import type { AdoptionStore } from './types/adoption.ts';
import type { AlarmStore, MaintenanceStore } from './types/alarms.ts';
import type { AttemptStore } from './types/attempts.ts';
import type { DaqLogStore, HostTargetsStore, OnlineMonitorStore, RateStore } from './types/daq.ts';
import type { DebtStore } from './types/debts.ts';
import type { DeletionStore } from './types/deletions.ts';
import type {
  Bound,
  EbMonitorStore,
  HostHistoryStore,
  HostStore,
  SilentHostStore,
} from './types/hosts.ts';
import type { OverviewStore } from './types/overview.ts';
import type { RunStore } from './types/runs.ts';

export type * from './types/actions.ts';
export type * from './types/adoption.ts';
export type * from './types/alarms.ts';
export type * from './types/attempts.ts';
export type * from './types/daq.ts';
export type * from './types/debts.ts';
export type * from './types/deletions.ts';
export type * from './types/hosts.ts';
export type * from './types/overview.ts';
export type * from './types/runs.ts';

/**
 * What the rest of the program sees of the databases. Every method is bounded in time: it answers or
 * throws a `StoreError` within the call time-out (plus bounded retries).
 */
export interface Store {
  readonly runs: RunStore;
  readonly hosts: HostStore;
  readonly ebMonitor: EbMonitorStore;
  readonly daqLog: DaqLogStore;
  readonly attempts: AttemptStore;
  readonly rates: RateStore;
  readonly hostTargets: HostTargetsStore;
  readonly overview: OverviewStore;
  readonly deletions: DeletionStore;
  readonly debts: DebtStore;
  readonly actions: ActionStore;
  readonly alarms: AlarmStore;
  readonly maintenance: MaintenanceStore;
  readonly onlineMonitor: OnlineMonitorStore;
  readonly silentHosts: SilentHostStore;
  readonly adoption: AdoptionStore;
  readonly hostHistory: HostHistoryStore;
  /** Both databases answer; throws a `StoreError` that names the one that does not. */
  ping(): Promise<void>;
  /**
   * The runs server's clock. Asked at most once a minute, carried on by this machine's monotonic
   * clock in between. Compare times of documents only with this, never with this machine's clock.
   */
  serverTime(): Promise<Date>;
  /** Id of the collection `bootstrax`, which a copy has not; null: there is none, or the server does not tell. */
  hostsCollectionId(): Promise<string | null>;
  /** Creates what is missing; throws `StoreError` 'refused' unless `manage` is set. */
  ensureIndexes(): Promise<void>;
  /** Indexes that are missing, each with the mongosh command that creates it. Changes nothing. */
  missingIndexes(): Promise<MissingIndex[]>;
  /**
   * What keeps the life signs from growing for ever, with the mongosh command that bounds them.
   * Changes nothing.
   */
  lifeSignsBound(): Promise<{ bound: Bound; command: string }>;
  close(): Promise<void>;
}

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
