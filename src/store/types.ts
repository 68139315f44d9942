import type { ObjectId } from 'mongodb';
import type { Voucher } from '../domain/deletion.ts';
import type { Blame, PastFailure } from '../domain/blame.ts';
import type { CauseClass, Meaning } from '../domain/causes.ts';
import type { Condition } from '../domain/overview/condition.ts';
import type { FieldProblem, Outcome, RunState } from '../domain/run.ts';
import type { ExitCause } from '../domain/verdict.ts';

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
  readonly onlineMonitor: OnlineMonitorStore;
  readonly silentHosts: SilentHostStore;
  /** Both databases answer; throws a `StoreError` that names the one that does not. */
  ping(): Promise<void>;
  /**
   * The runs server's clock. Asked at most once a minute, carried on by this machine's monotonic
   * clock in between. Compare times of documents only with this, never with this machine's clock.
   */
  serverTime(): Promise<Date>;
  /** Creates what is missing; throws `StoreError` 'refused' unless `manage` is set. */
  ensureIndexes(): Promise<void>;
  /** Indexes that are missing, each with the mongosh command that creates it. Changes nothing. */
  missingIndexes(): Promise<MissingIndex[]>;
  close(): Promise<void>;
}

export interface MissingIndex {
  database: string;
  collection: string;
  /** For mongosh, connected to the server in question. */
  command: string;
}

/** A run document as stored, projected to the fields the program reads (`RUN_PROJECTION`). Untrusted. */
export type RunDocument = { _id: ObjectId } & Record<string, unknown>;

/**
 * The ownership of a run as it was read: a compare-and-set against it fails if anything of it has
 * changed since. Values are as stored, whatever their type; absent fields are null.
 */
export interface Seen {
  id: ObjectId;
  number: unknown;
  state: unknown;
  host: unknown;
  time: unknown;
  attempt: unknown;
}

/** Proof of ownership: each write to a claimed run is conditional on it. */
export interface Fence {
  id: ObjectId;
  attempt: string;
  host: string;
  /** Once it is known to be busy: who makes it `considering` again is somebody else. */
  state?: 'busy';
}

/** `landed`: it is in the database. `superseded`: the run is no longer this attempt's; nothing was written. */
export type Fenced = 'landed' | 'superseded';

/** One stored data type, to be listed in `data`. */
export interface DataRegistration {
  type: string;
  /** Final absolute path, without `_temp`. */
  location: string;
  lineage: Record<string, unknown>;
}

/** The plan as shown in the run document. */
export interface PlanSummary {
  targets: readonly string[];
  post_processing: readonly string[];
  dropped: readonly string[];
  cores: number;
  max_messages: number;
  /** Seconds. */
  timeout: number;
  rung: number;
}

/** The progress as shown in the run document. */
export interface ProgressSummary {
  phase: string;
  chunks: number;
  covered_seconds: number;
  bytes: number;
  memory_bytes: number;
  mb_per_s: number | null;
  /** Seconds since the child's start. */
  t: number;
}

interface ConclusionBase {
  /** Entries still missing in `data`, pushed in the same update. */
  register?: readonly DataRegistration[];
  /** Locations of this host that no longer exist on disk: moved to `deleted_data` in the same update. */
  unregister?: readonly string[];
}

/** How an attempt ends. `reason` is the full text for `bootstrax.reason`. */
export type Conclusion = ConclusionBase &
  (
    | { kind: 'done' }
    /** Counted: `failures` is the new number, `delaySeconds` the wait until the next attempt. */
    | { kind: 'failed'; reason: string; failures: number; delaySeconds: number }
    /**
     * Not the run's fault: failures unchanged; a null reason keeps the present one. `holderLost`: its
     * holder went down with it.
     */
    | { kind: 'requeued'; reason: string | null; delaySeconds: number; holderLost?: boolean }
    /** Malformed: no retry until a person mends it. */
    | { kind: 'set_aside'; reason: string; problems: readonly FieldProblem[] }
    | { kind: 'given_up'; reason: string; failures: number }
    | { kind: 'abandoned'; reason: string | null }
  );

export type Concluded =
  /** `statusLeft`: after `done`, a run-level status that was not ours to overwrite; else null. */
  { kind: 'landed'; statusLeft: string | null } | { kind: 'superseded' };

export interface RunListQuery {
  /** `null` lists untouched runs. */
  state?: RunState | null;
  mode?: string;
  /** Run numbers, both inclusive. */
  from?: number;
  to?: number;
  /** Continue a listing: only numbers below this one. */
  before?: number;
  limit: number;
}

/** Which documents to look through for malformed ones. */
export interface SuspectsQuery {
  /** Run numbers, both inclusive. */
  from?: number;
  to?: number;
  /** Without `from`: so many numbers, the newest ones. */
  numbers: number;
}

export interface RunPage {
  /** Highest number first; may be fewer than the limit although there are more. */
  runs: RunDocument[];
  /** Give as `before` for the next page; null at the end. */
  before: number | null;
}

/** Each number counts at most `QUEUE_COUNT_LIMIT`. */
export interface QueueCounts {
  /** Untouched, hold tag or not (the reference counts so). */
  new: number;
  considering: number;
  busy: number;
  /** Failed and still to be retried, now or later. */
  waiting: number;
  /** Of those, due now. */
  due: number;
}

export interface RunHint {
  kind: 'insert' | 'update';
  id: ObjectId;
  /** Known for inserted runs only. */
  number: number | null;
  /** Names of the fields that an update touched (dotted paths); empty for an insert. */
  touched: readonly string[];
  /** The new `bootstrax.state`, where the update wrote one; else undefined. */
  state?: unknown;
}

export interface NewCandidatesQuery {
  limit: number;
  /** Only runs without this linked detector: for hosts that may not take others. */
  withoutDetector?: string;
  /** Also those tagged `hold-processing`, to explain why they are passed over. */
  includeHeld?: boolean;
}

export interface RunStore {
  /** Untouched runs, newest start first. */
  newCandidates(query: NewCandidatesQuery): Promise<RunDocument[]>;
  /** Failed runs with fewer than `giveUpAfter` failures whose `next_retry` is before `now`, newest start first. */
  retryDue(query: { now: Date; giveUpAfter: number; limit: number }): Promise<RunDocument[]>;
  /** The same, but due before `before`, longest overdue first. */
  overdue(query: { before: Date; giveUpAfter: number; limit: number }): Promise<RunDocument[]>;
  /** Runs that are considering or busy under this host name. */
  ownRuns(host: string): Promise<RunDocument[]>;
  /** All runs that are considering or busy, whoever owns them: to watch for staleness. */
  unsettled(): Promise<Seen[]>;
  /** New and failed runs with this tag. */
  waitingTagged(tag: string, limit: number): Promise<RunDocument[]>;
  /**
   * Done runs begun since `since` that lack a status of their own or an end, or carry `tag`; newest
   * first.
   */
  doneUnfinished(query: { since: Date; tag: string; limit: number }): Promise<RunDocument[]>;
  /** All runs with this number: should be one. */
  byNumber(number: number): Promise<RunDocument[]>;
  byId(id: ObjectId): Promise<RunDocument | null>;
  /**
   * All runs with a number from `from` to `to`, both included: who has them and where their data lies
   * (`PLACES_PROJECTION`). Ask for a few hundred at a time.
   */
  numbered(from: number, to: number): Promise<RunDocument[]>;
  list(query: RunListQuery): Promise<RunPage>;
  /** Documents that may be malformed, highest number first; those that nobody has looked at too. */
  suspects(query: SuspectsQuery): Promise<RunDocument[]>;
  queueCounts(now: Date, giveUpAfter: number): Promise<QueueCounts>;

  /**
   * Takes a run in one update, if it still is as seen: untouched, failed, or a stale claim of
   * somebody else. Keeps `n_failures`, `reason` and `next_retry`.
   */
  claim(seen: Seen, owner: { attempt: string; host: string }): Promise<'claimed' | 'lost'>;
  /**
   * considering -> busy; writes `started_processing`. `again`: an earlier call was given up on
   * without an answer and may have landed.
   */
  markBusy(fence: Fence, plan: PlanSummary, again?: boolean): Promise<Fenced>;
  /** Refreshes `time` in the expected state, and the progress if there is one. */
  heartbeat(
    fence: Fence,
    state: 'considering' | 'busy',
    progress: ProgressSummary | null,
  ): Promise<Fenced>;
  /** Lists data types in `data` that are not listed yet (considering or busy). */
  registerData(fence: Fence, entries: readonly DataRegistration[]): Promise<Fenced>;
  /** Moves entries of this host to `deleted_data` (considering or busy). */
  unregisterData(fence: Fence, locations: readonly string[]): Promise<Fenced>;
  /** The same for an attempt that lost its run: by host and location only, without fence. */
  withdrawData(id: ObjectId, host: string, locations: readonly string[]): Promise<void>;
  /** The same for a run that nobody holds, if it still is as seen. */
  withdrawSettled(
    seen: Seen,
    host: string,
    locations: readonly string[],
  ): Promise<'landed' | 'changed'>;
  /**
   * Ends the attempt: exactly once, from considering or busy. `again`: an earlier call was given up
   * on without an answer; if it landed after all, the answer is that of the first.
   */
  conclude(fence: Fence, conclusion: Conclusion, again?: boolean): Promise<Concluded>;

  /**
   * For runs that nobody of us owns: operators' verbs and setting aside an unclaimed malformed run.
   * Compare-and-set against what was seen, also for busy runs. `host` is the one that writes.
   */
  settle(seen: Seen, host: string, conclusion: Settlement): Promise<'landed' | 'changed'>;
  /** Failed and due now, with this number of failures (kept, or 0 to begin from the start). */
  retry(seen: Seen, host: string, failures: number): Promise<'landed' | 'changed'>;
  /** Gives a done run, if it still is as seen and has none, the status that a conclusion writes. */
  mendStatus(seen: Seen): Promise<'landed' | 'changed'>;
  /**
   * Moves the live entry at this location to `deleted_data`, if the run is done by `attempt` on this
   * host, nobody has it, and it carries none of these tags. `again`: an earlier call was given up on
   * without an answer; if it landed after all, the answer is that of the first.
   */
  withdrawLive(
    fence: Fence,
    location: string,
    options: { unlessTagged: readonly string[]; again: boolean },
  ): Promise<'landed' | 'changed'>;
  /** Adds the tag `hold-processing` unless it is there. */
  hold(id: ObjectId, user: string): Promise<void>;
  /** Removes every tag `hold-processing`. */
  release(id: ObjectId): Promise<void>;

  /**
   * Calls `onHint` for each inserted run and each update of another field than the life sign;
   * `null` when events may have been missed (at the beginning and after each interruption).
   * Ends with 'aborted' by the signal, or 'unsupported' where the server has no change streams.
   * Never to be relied on alone: poll beside it.
   */
  watch(
    onHint: (hint: RunHint | null) => void,
    signal: AbortSignal,
  ): Promise<'aborted' | 'unsupported'>;
}

export type Settlement = Extract<
  Conclusion,
  { kind: 'failed' | 'set_aside' | 'given_up' | 'abandoned' }
>;

/** Collection `bootstrax` of the runs database: one document per host. */
export interface HostStatus {
  host: string;
  state: 'busy' | 'idle';
  /** Further fields, shown by `status` and `hosts`. */
  extras: Record<string, unknown>;
}

export interface HostDocument {
  host: string;
  state: string;
  time: Date;
  extras: Record<string, unknown>;
}

export interface HostStore {
  /** Replaces this host's document; `time` is the server's. */
  write(status: HostStatus): Promise<void>;
  all(): Promise<HostDocument[]>;
}

/** One life sign in `daq.eb_monitor`; names as the reference's. */
export interface LifeSign {
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
  /** One plain sentence. */
  thinking: string;
  /** While supervising a child. */
  run_id?: string;
  cores?: number;
  timeout?: number;
  post_processing?: readonly string[];
}

/** What a manager leaves of itself in `daq.eb_monitor` when it hands its host to another program. */
export type LastSign = Pick<LifeSign, 'host' | 'targets' | 'max_cores' | 'max_messages'>;

export interface EbMonitorStore {
  /** Inserts a new document; `time` is the server's. */
  write(sign: LifeSign): Promise<void>;
  /**
   * Takes the process ids out of all life signs of this program for a host, since the reference kills
   * whatever process has one of them, and adds a last one that says that nobody works here.
   */
  leave(sign: LastSign): Promise<void>;
  newest(host: string): Promise<Record<string, unknown> | null>;
  /** Those of `hosts` whose newest life sign is younger than `maxAgeSeconds` and says neither dead nor disk full. */
  alive(hosts: readonly string[], maxAgeSeconds: number): Promise<string[]>;
}

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

/** History: one document per attempt. */
export interface AttemptRecord {
  /** 24 hexadecimal digits. */
  attempt: string;
  run: number;
  host: string;
  mode: string | null;
  /** Counted failures before this attempt. */
  failures: number;
  /** It makes up for what a done run lacks, and its end changes nothing of the run's state. */
  ofDebt?: boolean;
  /** `plan.json`, or null if the attempt ended before it had a plan. */
  plan: Record<string, unknown> | null;
}

export interface AttemptOutcome {
  outcome: Outcome | 'superseded';
  /** How the attempt itself came to its end; null if it came to none of its own. */
  cause: ExitCause['kind'] | null;
  /** What that means; null for an attempt that did not fail, absent in what earlier releases wrote. */
  meaning?: Meaning | null;
  /** Did it count as a failure of the run? */
  counted: boolean;
  reason: string | null;
  traceback: string | null;
  /** Same for errors of the same cause. */
  fingerprint: string | null;
  plugin: string | null;
  seconds: number | null;
  peakMemoryBytes: number | null;
  bytes: number | null;
  /** Of live data, read. */
  chunks: number | null;
  /** Targets wanted for this run that were not made: a debt. */
  dropped: readonly string[];
  products: readonly Record<string, unknown>[];
  versions: Record<string, string>;
}

export interface AttemptDocument extends AttemptRecord {
  started: Date;
  ended: Date | null;
  result: AttemptOutcome | null;
}

export interface FailureGroup {
  fingerprint: string;
  count: number;
  /** At most 20 run numbers. */
  runs: number[];
  last: Date;
  reason: string;
  /** How many of them counted. */
  counted: number;
  /** Newest failure's; null for what earlier releases wrote. */
  meaning: Meaning | null;
  blame: Blame;
}

/** Failures since a time; all that is named must fit. */
export interface FailureQuery {
  since: Date;
  fingerprints?: readonly string[];
  classes?: readonly CauseClass[];
  /** On other hosts than this one. */
  notOn?: string;
}

export interface AttemptStore {
  /** May be called again for the same attempt: the first start stays. */
  begin(record: AttemptRecord): Promise<void>;
  /** Adds or replaces the plan of an attempt that has begun. */
  plan(attempt: string, plan: Record<string, unknown>): Promise<void>;
  /** False if the attempt never began (then nothing is written). */
  end(
    attempt: string,
    outcome: AttemptOutcome,
    /** With `unlessEnded` an end that somebody has written already stays. */
    options?: { unlessEnded: boolean },
  ): Promise<boolean>;
  get(attempt: string): Promise<AttemptDocument | null>;
  /** Newest first. */
  ofRun(run: number, limit: number): Promise<AttemptDocument[]>;
  /** Attempts of this host without an end: to be settled at start. */
  unfinished(host: string): Promise<AttemptDocument[]>;
  /** Ended attempts of a host since a time, newest first. */
  endedOn(host: string, since: Date, limit: number): Promise<AttemptDocument[]>;
  /** Other hosts that have finished a run since a time, each with the newest such end. */
  successesElsewhere(host: string, since: Date): Promise<{ host: string; last: Date }[]>;
  /** Failures since a time, grouped, most frequent first; looks at no more than 2000 attempts. */
  failureGroups(since: Date, limit: number): Promise<FailureGroup[]>;
  /** Failures, counted or not, newest first; no more than 2000. */
  failures(query: FailureQuery): Promise<PastFailure[]>;
}

/** What becomes of a debt, in the history of the attempt that left it. */
export interface DebtNote {
  /** To be made up for by the attempt's host. */
  offered: boolean;
  /** Who offered it, or `idle`. */
  by: string;
  /** How often it has been tried since it was offered. */
  tries: number;
  /** The newest such attempt, and why it came to nothing. */
  attempt: string | null;
  reason: string | null;
  /** Made up for: no debt any more. */
  paid: boolean;
}

export type DebtDocument = AttemptDocument & { debt?: Partial<DebtNote> };

/** Proof that a debt of a done run is this attempt's to make up for. */
export interface DebtFence {
  id: ObjectId;
  attempt: string;
  host: string;
}

export interface DebtStore {
  /** Done attempts since a time that left a debt which nobody has made up for; newest first. */
  open(query: { since: Date; host?: string; limit: number }): Promise<DebtDocument[]>;
  /** Those offered to this host. */
  offered(host: string, limit: number): Promise<DebtDocument[]>;
  /** The runs with these numbers, with what others have made of them. */
  runs(numbers: readonly number[]): Promise<RunDocument[]>;
  run(id: ObjectId): Promise<RunDocument | null>;
  /** In the history of the attempt that left the debt. */
  note(attempt: string, fields: Partial<DebtNote>): Promise<void>;

  /**
   * Takes the debt of a done run, if the run is as seen and nobody has gone on with it. Its state
   * stays; its status is taken away until the end, so that nobody goes on with it meanwhile.
   */
  claim(seen: Seen, owner: { attempt: string; host: string }): Promise<'claimed' | 'lost'>;
  /** Life sign. */
  renew(fence: DebtFence): Promise<'landed' | 'superseded'>;
  /** What was added is listed, and the run is handed on. `again`: as for `RunStore.conclude`. */
  pay(
    fence: DebtFence,
    made: { register: readonly DataRegistration[]; plan: PlanSummary },
    again?: boolean,
  ): Promise<'landed' | 'superseded'>;
  /** The run is handed on as it was before. */
  giveBack(fence: DebtFence): Promise<void>;
  /** The same for one whose holder has been silent for too long. */
  release(seen: Seen, debt: unknown): Promise<'landed' | 'changed'>;
}

export interface RateStore {
  /** Sum over detectors of the maximal rate in `aggregate_status`, MB/s; null if there is none above 0. */
  ofRun(number: number): Promise<{ total: number; detectors: Record<string, number> } | null>;
  /** Calls back on each row of this run, and with every interruption; same ends as `RunStore.watch`. */
  watch(
    number: number,
    onHint: () => void,
    signal: AbortSignal,
  ): Promise<'aborted' | 'unsupported'>;
}

/** Targets of single hosts in some modes, as the DAQ's operators set them (`daq.bootstrax_config`). */
export interface HostTargetsStore {
  /** As it is, whatever its shape; null if there is none. `domain/host-targets` reads it. */
  document(): Promise<Record<string, unknown> | null>;
}

/** A manager's newest life sign, of either program. */
export interface NewestSign {
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
  /** Those of `hosts` that have given a life sign since then. */
  heardOf(hosts: readonly string[], since: Date): Promise<string[]>;
  /** Null if the host has given none, or the newest is not a manager's. */
  newest(host: string): Promise<NewestSign | null>;
  /** `dead_bootstrax` in that life sign, unless it has changed since it was read. */
  markDead(sign: NewestSign): Promise<'landed' | 'changed'>;
}

/** What strax shows of a run while it is processed (runs database, `online_monitor`). */
export interface OnlineMonitorStore {
  /** Ids of documents of a run, a few hundred at most; none: there are none. */
  some(number: number): Promise<unknown[]>;
  remove(ids: readonly unknown[]): Promise<void>;
}

/** The deletion of one run's live data, by the attempt that had concluded the run. */
export interface DeletionRequest {
  attempt: string;
  run: number;
  host: string;
}

export interface DeletionFound {
  /** Where the live data is removed, and the root of it as the run document has it. */
  folder: string;
  location: string;
  /** Products that stand in for it. */
  vouchedBy: readonly Voucher[];
  /** With what they were loaded. */
  how: string;
  /** Before anything was removed. */
  files: number;
  bytes: number;
}

export interface DeletionDocument extends DeletionRequest {
  /** `checking` and `deleting` are unfinished. */
  state: 'checking' | 'deleting' | 'done' | 'refused';
  /** What it waits for; null if nothing is known to be in its way. */
  problem: string | null;
  /** Why it was refused. */
  cause: string | null;
  begun: Date;
  /** When the products had been loaded. */
  checked: Date | null;
  ended: Date | null;
  folder: string | null;
  location: string | null;
  vouchedBy: readonly Voucher[];
  how: string | null;
  files: number | null;
  bytes: number | null;
  bytesFreed: number | null;
}

/** Collection `bootstrax_deletions` of the runs database. Each write may be carried out twice. */
export interface DeletionStore {
  /** Asks for a deletion, unless it was asked for before; with `again`, also if it was refused. */
  request(request: DeletionRequest, options?: { again: boolean }): Promise<void>;
  /** The products vouch for it: from here on live data goes. */
  begin(attempt: string, found: DeletionFound): Promise<void>;
  /** What it waits for. */
  note(attempt: string, problem: string | null): Promise<void>;
  done(attempt: string): Promise<void>;
  refuse(attempt: string, cause: string): Promise<void>;
  get(attempt: string): Promise<DeletionDocument | null>;
  /** Of one host, or of all (null); oldest first. */
  unfinished(host: string | null): Promise<DeletionDocument[]>;
  /** Newest first. */
  ofRun(run: number): Promise<DeletionDocument[]>;
  /** Those asked for since a time, newest first. */
  since(begun: Date, limit: number): Promise<DeletionDocument[]>;
}

/** What the store reports without being asked. */
export type StoreEvent =
  /** One try of a call got no answer, or one that says: not now. `reason` names database and operation. */
  | { kind: 'missed'; database: 'runs' | 'daq'; operation: string; reason: string }
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

/** Which runs a listing shows; what is left out is not asked. */
export interface OverviewFilter {
  condition?: Condition;
  mode?: string;
  detector?: string;
  host?: string;
  tag?: string;
}

/** An attempt that has ended, as far as statistics look at it. */
export interface EndedAttempt {
  attempt: string;
  run: number;
  host: string;
  ended: Date;
  outcome: string;
  cause: string | null;
  counted: boolean;
}

/** A counted failure with its story. */
export interface FailedAttempt extends EndedAttempt {
  fingerprint: string | null;
  plugin: string | null;
  reason: string | null;
  traceback: string | null;
  versions: Record<string, string>;
}

/** One life sign, as it is stored. */
export type StoredSign = { host: string; time: Date } & Record<string, unknown>;

/** What people look at. Nothing here is written, and every query is bounded by an index range. */
export interface OverviewStore {
  /** The newest runs by number, highest first. */
  recent(limit: number): Promise<RunDocument[]>;
  /** All runs in work. */
  working(): Promise<RunDocument[]>;
  /** Untouched runs: number, start, tags. */
  untouched(limit: number): Promise<RunDocument[]>;
  /** Failed runs begun since. */
  failedSince(since: Date, limit: number): Promise<RunDocument[]>;
  /** Failed runs without a time for another try, whenever they began. */
  withoutRetry(limit: number): Promise<RunDocument[]>;
  /** Runs begun since: number, start, end, and when they were processed. */
  begunSince(since: Date, limit: number): Promise<RunDocument[]>;
  /** Lists runs as `RunStore.list`, by more filters. */
  list(query: Omit<RunListQuery, 'state' | 'mode'> & OverviewFilter): Promise<RunPage>;
  /** All documents of this number, whole. */
  whole(number: number): Promise<RunDocument[]>;
  /** Attempts that ended since. */
  endedSince(since: Date, limit: number): Promise<EndedAttempt[]>;
  /** Counted failures since, newest first. */
  failuresSince(since: Date, limit: number): Promise<FailedAttempt[]>;
  /** Life signs of these hosts in a short span of time. */
  signs(hosts: readonly string[], from: Date, to: Date, limitEach: number): Promise<StoredSign[]>;
  /** Life signs of one host in a span of time. */
  signsOf(host: string, from: Date, to: Date, limit: number): Promise<StoredSign[]>;
}
