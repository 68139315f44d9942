import type { Holder } from '../exclusion/holder.pure.ts';

/** Collection `bootstrax` of the runs database: one document per host. */
export interface HostStatus {
  host: string;
  state: 'busy' | 'idle';
  /** The manager that writes it. */
  holder: Holder;
  /** The last thing it writes: nobody holds the name afterwards. */
  isLast?: true;
  /** Further fields, shown by `status` and `hosts`. */
  extras: Record<string, unknown>;
}

export interface HostDocument {
  host: string;
  state: string;
  time: Date;
  /** The manager that wrote it; null: its release does not say, or nobody holds the name. */
  holder: Holder | null;
  extras: Record<string, unknown>;
}

export interface HostStore {
  /** Replaces this host's document, with the server's time, if it still names the writer. */
  write(status: HostStatus): Promise<'landed' | 'displaced'>;
  /** The document that names the manager of a host. */
  named(host: string): Promise<HostDocument | null>;
  /** The same as `write`, if the document still names the instance that was seen there (null: none). */
  take(status: HostStatus, seen: string | null): Promise<'taken' | 'lost'>;
  all(): Promise<HostDocument[]>;
  /** What tells this database from others; null: it is not marked yet. */
  readMark(): Promise<string | null>;
  /** Marks the database, unless it is marked; answers its mark. */
  mark(mark: string): Promise<string>;
}

/** One heartbeat in `daq.eb_monitor`; names as the reference's. */
export interface HostHeartbeat {
  host: string;
  pid: number;
  state: 'starting' | 'busy' | 'idle' | 'disk full' | 'dead_bootstrax';
  targets: readonly string[];
  max_cores: number;
  max_messages: number;
  undying: boolean;
  production_mode: boolean;
  /** Percent of all cores, memory, swap. */
  cpu_percent: number;
  memory_percent: number;
  swap_percent: number;
  /** Percent used of the output disk. */
  disk_used: number;
  /** The same of the disk with the live data, where it answers. */
  live_disk_used?: number;
  /** Processes that run or want to, on average over a minute. */
  load?: number;
  /** How far this machine's clock is ahead of the server's, seconds; once it is known. */
  clock_skew?: number;
  /** One plain sentence. */
  thinking: string;
  /** Of the manager, made anew at each start. */
  instance: string;
  /** While supervising a child. */
  run_id?: string;
  cores?: number;
  timeout?: number;
  post_processing?: readonly string[];
}

/** Thinned heartbeats of two days, for curves: `eb_monitor` may keep fewer. */
export interface HostHistoryStore {
  /** Keeps the figures of a heartbeat; of the same few minutes only the last ones stay. */
  write(heartbeat: HostHeartbeat): Promise<void>;
}

/** What a manager leaves of itself in `daq.eb_monitor` when it hands its host to another program. */
export type LastHeartbeat = Pick<HostHeartbeat, 'host' | 'targets' | 'max_cores' | 'max_messages'>;

/** Who wrote a heartbeat; the reference's are not among them. */
export interface HeartbeatWriter {
  id: string;
  time: Date;
  /** Null: release 0.1.0 does not say. */
  instance: string | null;
  pid: number;
}

export interface EbMonitorStore {
  /** Inserts a new document; `time` is the server's. */
  write(heartbeat: HostHeartbeat): Promise<void>;
  /**
   * Takes the process ids out of all heartbeats of this program for a host, since the reference kills
   * whatever process has one of them, and adds a last one that says that nobody works here.
   */
  releaseHost(heartbeat: LastHeartbeat): Promise<void>;
  newest(host: string): Promise<Record<string, unknown> | null>;
  /** Who of this program has sent heartbeats for a host in the last `seconds`; newest first. */
  writers(host: string, seconds: number): Promise<HeartbeatWriter[]>;
  /** Those of `hosts` whose newest heartbeat is less than `maxAgeSeconds` old and says neither dead nor disk full. */
  alive(hosts: readonly string[], maxAgeSeconds: number): Promise<string[]>;
}

/** A manager's newest heartbeat, of either program. */
export interface NewestHeartbeat {
  id: unknown;
  host: string;
  /** The server's time. */
  time: Date;
  state: unknown;
}

/** Looks in `eb_monitor` for managers that have fallen silent. */
export interface SilentHostStore {
  /** The DAQ server's clock. */
  time(): Promise<Date>;
  /** Those of `hosts` that have sent a heartbeat since then. */
  withHeartbeatSince(hosts: readonly string[], since: Date): Promise<string[]>;
  /** Null if the host has given none, or the newest is not a manager's. */
  newest(host: string): Promise<NewestHeartbeat | null>;
  /** `dead_bootstrax` in that heartbeat, unless it has changed since it was read. */
  markDead(heartbeat: NewestHeartbeat): Promise<'landed' | 'changed'>;
}
