import type { Logger } from 'pino';

import type { Attempts, Products } from '../attempts/types.ts';
import type { Frontend, PluginGraph, Processor } from '../domain/attempt.ts';
import type { HostRole } from '../domain/claim.ts';
import type { Rules } from '../domain/rules.ts';
import type { Executor } from '../executors/executor.ts';
import type { Machine } from '../machine/types.ts';
import type { Store } from '../store/types.ts';
import type { Clock } from './clock.ts';
import type { ManagerPlace } from './exclusion/place.ts';
import type { ManagerFigures } from './figures.ts';
import type { DrainKeeper } from './keeping-back/drain.ts';
import type { LeftRuns } from './left-runs.ts';
import type { DeletionMeans } from './deletions/means.ts';

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
  /** straxen's storage that children open beside the output folder. */
  frontends: readonly Frontend[];
  /** Products are taken as they are, unchecked. */
  ignoreChecks: boolean;
  /** May documents in `online_monitor` be removed? */
  wipeOnlineMonitor: boolean;
  /** Folders below which this host sees live data. */
  liveDataRoots: readonly string[];
  outputDirectory: string;
  /** Null: live data is never deleted. */
  deletion: DeletionMeans | null;
  /** Change streams wanted (they are not everywhere); polling goes on in any case. */
  changeStream: boolean;
  /** Interval of the poll where no change stream wakes the manager, seconds. */
  pollSeconds: number;
  /** False in a trial, whose documents nobody else reads. */
  productionMode: boolean;
  store: Store;
  /** Runs of which the database refuses what has to be written. */
  left: LeftRuns;
  /** Who this manager is among others of its host's name. */
  place: ManagerPlace;
  /** How the store's calls have gone. */
  figures: ManagerFigures;
  executor: Executor;
  attempts: Attempts;
  products: Products;
  machine: Machine;
  drains: DrainKeeper;
  clock: Clock;
  log: Logger;
  /** The plugins of the context, as the worker last reported them. */
  graph: () => PluginGraph | null;
}
