import type { DebtStore } from '../attempt/debt/debt.port.ts';
import type { ActionStore } from '../features/actions/action.port.ts';
import type { AdoptionStore } from '../features/adoption/adoption.port.ts';
import type { AlarmStore, MaintenanceStore } from '../features/alarms/alarm.port.ts';
import type { DeletionStore } from '../features/deletion/deletion.port.ts';
import type {
  EbMonitorStore,
  HostHistoryStore,
  HostStore,
  SilentHostStore,
} from '../host/host.port.ts';
import type { Bound, MissingIndex } from '../infra/mongo/connection.port.ts';
import type { OverviewStore } from '../readmodel/overview.port.ts';
import type { AttemptStore } from '../retry/attempt-history.port.ts';
import type { RunStore } from '../run/run.port.ts';
import type { DaqLogStore, HostTargetsStore, OnlineMonitorStore, RateStore } from './daq.port.ts';

/**
 * What the rest of the program sees of the databases. Every method is bounded in time: it answers or
 * throws a `StoreError` within the call timeout (plus bounded retries).
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
   * What keeps the heartbeats from growing for ever, with the mongosh command that bounds them.
   * Changes nothing.
   */
  heartbeatsBound(): Promise<{ bound: Bound; command: string }>;
  close(): Promise<void>;
}
