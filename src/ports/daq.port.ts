export type LogPriority = 'debug' | 'info' | 'warning' | 'error' | 'fatal';

export interface DaqLogStore {
  /** `host` is this host's name; the document's user is `bootstrax_<host>`. */
  write(entry: {
    host: string;
    priority: LogPriority;
    message: string;
    run?: number;
  }): Promise<void>;
}

export interface RateStore {
  /** Sum over detectors of the maximal rate in `aggregate_status`, MB/s; null if there is none above 0. */
  ofRun(number: number): Promise<{ total: number; detectors: Record<string, number> } | null>;
  /** Has the DAQ written any status, of whatever run, since then? By the age of the rows' ids. */
  anySince(time: Date): Promise<boolean>;
  /** Calls back on each row of this run, and with every interruption; same ends as `RunStore.watch`. */
  watch(
    number: number,
    onHint: () => void,
    signal: AbortSignal,
  ): Promise<'aborted' | 'unsupported'>;
}

/** Targets of single hosts in some modes, as the DAQ's operators set them (`daq.bootstrax_config`). */
export interface HostTargetsStore {
  /** As it is, whatever its shape; null if there is none. `plan/host-targets.pure` reads it. */
  document(): Promise<Record<string, unknown> | null>;
}

/** What strax shows of a run while it is processed (runs database, `online_monitor`). */
export interface OnlineMonitorStore {
  /** Ids of documents of a run, a few hundred at most; none: there are none. */
  some(number: number): Promise<unknown[]>;
  remove(ids: readonly unknown[]): Promise<void>;
}
