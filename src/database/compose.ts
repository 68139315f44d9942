import { createDebtStore } from '../attempt/debt/debt.store.ts';
import {
  createOnlineMonitorStore,
  ONLINE_MONITOR_COLLECTION,
} from '../attempt/online-monitor.store.ts';
import type { ActionStore } from '../features/actions/action.port.ts';
import {
  ACKNOWLEDGEMENTS_COLLECTION,
  ACTIONS_COLLECTION,
  createActionStore,
} from '../features/actions/action.store.ts';
import { createAdoptionStore } from '../features/adoption/adoption.store.ts';
import { ALARMS_COLLECTION, createAlarmStore } from '../features/alarms/alarm.store.ts';
import {
  createMaintenanceStore,
  MAINTENANCE_COLLECTION,
} from '../features/alarms/maintenance.store.ts';
import { createDeletionStore, DELETIONS_COLLECTION } from '../features/deletion/deletion.store.ts';
import { createEbMonitorStore, EB_MONITOR_COLLECTION } from '../host/eb-monitor.store.ts';
import { createHostStore, HOSTS_COLLECTION } from '../host/host.store.ts';
import { createHostHistoryStore, HOST_HISTORY_COLLECTION } from '../host/host-history.store.ts';
import { createSilentHostStore } from '../host/silent-hosts.store.ts';
import type { Collection } from '../infra/mongo/collection.ts';
import { createRateStore, RATES_COLLECTION } from '../plan/data-rate.store.ts';
import { createHostTargetsStore, HOST_TARGETS_COLLECTION } from '../plan/host-targets.store.ts';
import type { RateStore } from '../ports/daq.port.ts';
import { createDaqLogStore, LOG_COLLECTION } from '../ports/daq-log.store.ts';
import type { Store } from '../ports/store.ts';
import { createOverviewStore } from '../readmodel/overview.store.ts';
import { ATTEMPTS_COLLECTION, createAttemptStore } from '../retry/attempt-history.store.ts';
import type { RunStore } from '../run/run.port.ts';
import { createRunStore, RUNS_COLLECTION } from '../run/run.store.ts';

/** What the collections' modules stand on: how to reach a collection, the clock, and what changes. */
export interface StoreParts {
  /** A collection of the runs database. */
  inRuns: (name: string) => Collection;
  /** A collection of the DAQ database. */
  inDaq: (name: string) => Collection;
  runsTime: () => Promise<Date>;
  daqTime: () => Promise<Date>;
  watchRuns: RunStore['watch'];
  watchRates: RateStore['watch'];
  watchActions: ActionStore['watch'];
}

/** Everything of a store that is documents, on whatever brings the collections. */
export function composeStore(
  parts: StoreParts,
): Pick<
  Store,
  | 'runs'
  | 'hosts'
  | 'attempts'
  | 'ebMonitor'
  | 'daqLog'
  | 'rates'
  | 'hostTargets'
  | 'overview'
  | 'deletions'
  | 'debts'
  | 'actions'
  | 'alarms'
  | 'maintenance'
  | 'onlineMonitor'
  | 'silentHosts'
  | 'adoption'
  | 'hostHistory'
  | 'serverTime'
> {
  const { inRuns, inDaq, runsTime, daqTime, watchRuns, watchRates, watchActions } = parts;
  return {
    runs: createRunStore(inRuns(RUNS_COLLECTION), runsTime, watchRuns),
    hosts: createHostStore(inRuns(HOSTS_COLLECTION)),
    attempts: createAttemptStore(inRuns(ATTEMPTS_COLLECTION)),
    ebMonitor: createEbMonitorStore(inDaq(EB_MONITOR_COLLECTION), daqTime),
    daqLog: createDaqLogStore(inDaq(LOG_COLLECTION)),
    rates: createRateStore(inDaq(RATES_COLLECTION), watchRates),
    hostTargets: createHostTargetsStore(inDaq(HOST_TARGETS_COLLECTION)),
    deletions: createDeletionStore(inRuns(DELETIONS_COLLECTION)),
    debts: createDebtStore(inRuns(RUNS_COLLECTION), inRuns(ATTEMPTS_COLLECTION)),
    actions: createActionStore(
      inRuns(ACTIONS_COLLECTION),
      inRuns(ACKNOWLEDGEMENTS_COLLECTION),
      watchActions,
    ),
    alarms: createAlarmStore(inRuns(ALARMS_COLLECTION)),
    maintenance: createMaintenanceStore(inRuns(MAINTENANCE_COLLECTION)),
    onlineMonitor: createOnlineMonitorStore(inRuns(ONLINE_MONITOR_COLLECTION)),
    silentHosts: createSilentHostStore(inDaq(EB_MONITOR_COLLECTION), daqTime),
    adoption: createAdoptionStore({
      runs: inRuns(RUNS_COLLECTION),
      attempts: inRuns(ATTEMPTS_COLLECTION),
      deletions: inRuns(DELETIONS_COLLECTION),
      serverTime: runsTime,
    }),
    hostHistory: createHostHistoryStore(inRuns(HOST_HISTORY_COLLECTION), runsTime),
    overview: createOverviewStore({
      runs: inRuns(RUNS_COLLECTION),
      attempts: inRuns(ATTEMPTS_COLLECTION),
      monitor: inDaq(EB_MONITOR_COLLECTION),
      history: inRuns(HOST_HISTORY_COLLECTION),
      serverTime: runsTime,
    }),
    serverTime: runsTime,
  };
}
