import { ACKNOWLEDGEMENTS_COLLECTION, ACTIONS_COLLECTION, createActionStore } from './actions.ts';
import { createAdoptionStore } from './adoption.ts';
import { ATTEMPTS_COLLECTION, createAttemptStore } from './attempts.ts';
import { ALARMS_COLLECTION, createAlarmStore } from './alarms.ts';
import type { Collection } from './collection.ts';
import { createDaqLogStore, LOG_COLLECTION } from './daq-log.ts';
import { createDebtStore } from './debts.ts';
import { createDeletionStore, DELETIONS_COLLECTION } from './deletions.ts';
import { createEbMonitorStore, EB_MONITOR_COLLECTION } from './eb-monitor.ts';
import { createHostHistoryStore, HOST_HISTORY_COLLECTION } from './host-history.ts';
import { createHostTargetsStore, HOST_TARGETS_COLLECTION } from './host-targets.ts';
import { createHostStore, HOSTS_COLLECTION } from './hosts.ts';
import { createMaintenanceStore, MAINTENANCE_COLLECTION } from './maintenance.ts';
import { createOnlineMonitorStore, ONLINE_MONITOR_COLLECTION } from './online-monitor.ts';
import { createOverviewStore } from './overview.ts';
import { createRateStore, RATES_COLLECTION } from './rates.ts';
import { createRunStore, RUNS_COLLECTION } from './runs.ts';
import { createSilentHostStore } from './silent-hosts.ts';
import type { ActionStore, RateStore, RunStore, Store } from './types.ts';

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
