import type { Logger } from 'pino';

import type { Frontend, PluginGraph, Processor } from '../attempt/attempt.pure.ts';
import type { Attempts, Products } from '../attempt/attempt-files.ts';
import type { HostNameLock } from '../exclusion/host-name-lock.ts';
import type { Executor } from '../executors/executor.ts';
import type { JobRules } from '../executors/job-rules.pure.ts';
import type { DeletionMeans } from '../features/deletion/deletion-means.port.ts';
import type { DrainKeeper } from '../host/drain.ts';
import type { Machine } from '../host/machine.ts';
import type { Clock } from '../infra/clock/clock.ts';
import type { Tasks } from '../infra/concurrency/tasks.ts';
import type { HostRole } from '../infra/config/host-role.pure.ts';
import type { Rules } from '../infra/config/rules.pure.ts';
import type { LeftRuns } from '../run/refused-runs.ts';
import type { ManagerFigures } from './figures.ts';
import type { Store } from './store.ts';

/** What all parts of one manager share; little in it changes during its life. */
export interface Environment {
  /** Fully qualified name: `bootstrax.host` of every run taken here. */
  host: string;
  role: HostRole;
  /** Hosts that backup hosts wait for. */
  primaries: readonly string[];
  /** Hosts whose managers are marked dead when they fall silent, besides all that run this program. */
  watchedHosts: readonly string[];
  /** Name of the table in `rules.resources.tables`. */
  resourceTable: string;
  /** Attempts at the same time. */
  slots: number;
  rules: Rules;
  /** `module:function` of the strax context, and what it is called with. */
  context: string;
  contextOptions: Record<string, unknown>;
  processor: Processor;
  /** Name for the profile of each attempt; null: none is made. */
  profile: string | null;
  /** Children log what strax's mailboxes do. */
  debug: boolean;
  /** Pictures of the data are made beside each attempt. */
  pictures: boolean;
  /** straxen's storage that children open beside the output folder. */
  frontends: readonly Frontend[];
  /** Products are taken as they are, unchecked. */
  ignoreChecks: boolean;
  /** May documents in `online_monitor` be removed? */
  wipeOnlineMonitor: boolean;
  /** Folders below which this host sees live data. */
  liveDataRoots: readonly string[];
  outputDirectory: string;
  /** Attempts write here, each to a folder of its own, until their products are checked. */
  stagingDirectory: string;
  /** Null: live data is never deleted. */
  deletion: DeletionMeans | null;
  /** Change streams wanted (they are not everywhere); polling goes on in any case. */
  changeStream: boolean;
  /** Interval of the poll where no change stream wakes the manager. */
  pollSeconds: number;
  /** False in a trial, whose documents nobody else reads. */
  productionMode: boolean;
  store: Store;
  /** Runs of which the database refuses what has to be written. */
  left: LeftRuns;
  /** Who this manager is among others of its host's name. */
  nameLock: HostNameLock;
  /** How the store's calls have gone. */
  figures: ManagerFigures;
  executor: Executor;
  /** A cluster beside this machine; null: there is none. */
  cluster: Executor | null;
  /** Which runs become jobs of it; null: none. */
  jobs: JobRules | null;
  attempts: Attempts;
  products: Products;
  machine: Machine;
  drains: DrainKeeper;
  clock: Clock;
  /** Owns everything of this manager that nobody waits for. */
  tasks: Tasks;
  log: Logger;
  /** The plugins of the context, as the worker last reported them. */
  graph: () => PluginGraph | null;
}
