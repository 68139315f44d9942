import type { ObjectId } from 'mongodb';

import type { ClaimStore } from '../claim/claim.port.ts';
import type { Incomplete } from './incomplete.pure.ts';
import type { Again, FieldProblem, RunState } from './run.pure.ts';
import type { RunDocument, Seen } from './run-document.port.ts';
import type { FaultSeen } from './stored-run.pure.ts';

/** The condition of each write to a claimed run: it lands only while the attempt holds the run. */
export interface Fence {
  id: ObjectId;
  attempt: string;
  host: string;
  /** Set once the run is known to be busy: only another holder can make it `considering` again. */
  state?: 'busy';
}

/** `landed`: written. `superseded`: another holder has the run; nothing was written. */
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
  /** Where strax writes until the products are checked; absent: the output folder. */
  place?: string;
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
  /** When the first chunk of a product was on disk; absent before. */
  first_output?: Date;
  /** When a figure or the phase last changed; absent: not known. */
  moved?: Date;
  /** Without progress: what of the live data it waits for; absent: nothing is known. */
  waits_for?: string;
}

interface ConclusionBase {
  /** Entries still missing in `data`, pushed in the same update. */
  register?: readonly DataRegistration[];
  /** Locations of this host that no longer exist on disk: moved to `deleted_data` in the same update. */
  unregister?: readonly string[];
}

/** How an attempt at a run is concluded. `reason` is the full text for `bootstrax.reason`. */
export type Conclusion = ConclusionBase &
  /** `incomplete`: what the data lacks; `handOn` false: its status stays as it is. */
  (
    | { kind: 'done'; incomplete?: Incomplete; handOn?: boolean }
    /**
     * Counted: `failures` is the new number, `delaySeconds` the wait until the next attempt. `asked`:
     * by a person.
     */
    | { kind: 'failed'; reason: string; failures: number; delaySeconds: number; asked?: boolean }
    /**
     * Not the run's fault: failures unchanged; a null reason keeps the present one. `holderLost`: its
     * holder went down with it.
     */
    | { kind: 'requeued'; reason: string | null; delaySeconds: number; holderLost?: boolean }
    /** No retry until a person corrects the run. */
    | {
        kind: 'set_aside';
        reason: string;
        problems: readonly FieldProblem[];
        /** Leaves out the problems, and every field that the run does not need, to make the document small. */
        smallest?: boolean;
        /** Ids of other documents with the same number. The run is tried again once they have another. */
        sameNumber?: readonly string[];
        /** The run is tried again once document or live data differ from this. */
        faultSeen?: FaultSeen;
      }
    | { kind: 'given_up'; reason: string; failures: number; asked?: boolean }
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

/** Documents that are checked for being malformed. */
export interface SuspectsQuery {
  /** Run numbers, both inclusive. */
  from?: number;
  to?: number;
  /** Without `from`: how many of the newest run numbers. */
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
  /** Untouched and free to be taken. */
  new: number;
  /** Untouched and held by a person. */
  held: number;
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
  /** Known for inserted and replaced runs only. */
  number: number | null;
  /**
   * Dotted paths of the fields that an update touched: none for an insert; for a replaced document all
   * fields on which hosts decide.
   */
  touched: readonly string[];
  /** The new `bootstrax.state`, where the update wrote one; else undefined. */
  state?: unknown;
}

export interface DoneUnfinishedQuery {
  /** Runs that began earlier are left out. */
  since: Date;
  /** Also runs with this tag that began since `taggedSince`. */
  tag: string;
  taggedSince: Date;
  /** Largest number of runs of each kind. */
  limit: number;
}

/** Options of a follower of the change stream of runs. */
export interface RunFollower {
  /** Called after each answer of the server, also after one without events. */
  onAnswer?: () => void;
  /** Null while hints are waited for; else a signal that is aborted once they are. */
  rest?: () => AbortSignal | null;
}

export interface RunStore extends ClaimStore {
  /** Runs that are considering or busy under this host's name. */
  ownRuns(host: string): Promise<RunDocument[]>;
  /** All runs that are considering or busy, of any holder, to find stale ones. */
  unsettled(): Promise<Seen[]>;
  /** New and failed runs with this tag. */
  waitingTagged(tag: string, limit: number): Promise<RunDocument[]>;
  /** Done runs that lack a status of their own or an end, or carry a tag; newest first. */
  doneUnfinished(query: DoneUnfinishedQuery): Promise<RunDocument[]>;
  /** Done runs of a host, begun since then, that were not handed on; newest first. */
  doneWithoutStatus(query: { since: Date; host: string; limit: number }): Promise<RunDocument[]>;
  /** All documents with this run number: there should be one. */
  byNumber(number: number): Promise<RunDocument[]>;
  byId(id: ObjectId): Promise<RunDocument | null>;
  byIds(ids: readonly ObjectId[]): Promise<RunDocument[]>;
  /** Id, number and holder of all documents with one of these numbers. */
  ofNumbers(numbers: readonly number[]): Promise<RunDocument[]>;
  /** Runs that are set aside for their number, in the order of their ids; those after `after`. */
  setAsideForNumber(after: ObjectId | null, limit: number): Promise<RunDocument[]>;
  /** Runs that are set aside for another reason, in the order of their ids; those after `after`. */
  setAsideForFault(after: ObjectId | null, limit: number): Promise<RunDocument[]>;
  /**
   * All runs with a number from `from` to `to`, both included: who has them and where their data lies
   * (`PLACES_PROJECTION`). Ask for a few hundred at a time.
   */
  numbered(from: number, to: number): Promise<RunDocument[]>;
  list(query: RunListQuery): Promise<RunPage>;
  /** Documents that may be malformed, highest number first, also those that nobody has read yet. */
  suspects(query: SuspectsQuery): Promise<RunDocument[]>;
  queueCounts(now: Date, giveUpAfter: number): Promise<QueueCounts>;

  /**
   * considering -> busy; writes `started_processing`. `again`: an earlier call was given up on
   * without an answer and may have landed.
   */
  markBusy(fence: Fence, plan: PlanSummary, again?: boolean): Promise<Fenced>;
  /** Renews `time` in the expected state, and writes the progress and what the run waits for. */
  heartbeat(
    fence: Fence,
    state: 'considering' | 'busy',
    progress: ProgressSummary | null,
    waitsFor?: string | null,
  ): Promise<Fenced>;
  /** The same for a run whose attempt is a job of a cluster: which one, and since when. */
  noteJob(
    fence: Fence,
    job: { executor: string; id: string | null },
    waitsFor: string,
  ): Promise<Fenced>;
  /** The same for runs that are considering and wait for the same, all at once. */
  renewWaiting(fences: readonly Fence[], waitsFor: string): Promise<void>;
  /** Moves entries of this host to `deleted_data` (considering or busy). */
  unregisterData(fence: Fence, locations: readonly string[]): Promise<Fenced>;
  /**
   * The same without a fence, for an attempt that lost its run: by host and location, unless the run is
   * done under this host's name.
   */
  withdrawData(id: ObjectId, host: string, locations: readonly string[]): Promise<void>;
  /** The same for a run without a holder, if it is still as seen. */
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
   * Concludes a run without holding it: for actions of operators, and to set aside a malformed run.
   * Compare-and-set against what was seen, also for busy runs. `host` is the writer; `action` is the id
   * of the action, which stays in the document.
   */
  settle(
    seen: Seen,
    host: string,
    conclusion: Exclude<Conclusion, { kind: 'done' | 'requeued' }>,
    action?: string,
  ): Promise<'landed' | 'changed'>;
  /**
   * Failed and due now, with this number of failures (kept, or 0 to begin from the start).
   */
  retry(
    seen: Seen,
    host: string,
    failures: number,
    again?: Again & { action?: string },
  ): Promise<'landed' | 'changed'>;
  /**
   * Gives the run another number, if it is as seen and still has the number that was seen. `due`: the
   * run was set aside for its number and is due again at once.
   */
  renumber(seen: Seen, number: number, due: boolean, action: string): Promise<'landed' | 'changed'>;
  /** Hands a done run on, if it is as seen and has no status: writes the status of a conclusion. */
  mendStatus(seen: Seen): Promise<'landed' | 'changed'>;
  /**
   * Moves the live entry at this location to `deleted_data`, if `attempt` on this host concluded the run
   * as done, it has no holder, and it has none of these tags. `again`: an earlier call was given up on
   * without an answer; if it landed after all, the answer is that of the first.
   */
  withdrawLive(
    fence: Fence,
    location: string,
    options: { unlessTagged: readonly string[]; again: boolean },
  ): Promise<'landed' | 'changed'>;
  /** Adds the tag `hold-processing`, if the run is as seen and does not carry it. */
  hold(seen: Seen, user: string): Promise<'landed' | 'changed'>;
  /** Removes every tag `hold-processing`, if the run is as seen and carries it. */
  release(seen: Seen): Promise<'landed' | 'changed'>;

  /**
   * Calls `onHint` for each inserted run and each update of another field than the heartbeat;
   * `null` when events may have been missed (at the beginning and after each interruption).
   * Ends with 'aborted' by the signal, or 'unsupported' where the server has no change streams.
   * Never to be relied on alone: poll beside it.
   */
  watch(
    onHint: (hint: RunHint | null) => void,
    signal: AbortSignal,
    follower?: RunFollower,
  ): Promise<'aborted' | 'unsupported'>;
}
