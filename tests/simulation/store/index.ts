import { type Collection as DriverCollection, type Document, MongoError } from 'mongodb';

import { composeStore } from '../../../src/database/compose.ts';
import { ACTIONS_COLLECTION } from '../../../src/features/actions/action.store.ts';
import { EB_MONITOR_COLLECTION } from '../../../src/host/eb-monitor.store.ts';
import { HOSTS_COLLECTION } from '../../../src/host/host.store.ts';
import type { Caller } from '../../../src/infra/mongo/call.ts';
import { boundedCollection } from '../../../src/infra/mongo/collection.ts';
import { StoreError, toStoreError } from '../../../src/infra/mongo/store-error.ts';
import { RATES_COLLECTION } from '../../../src/plan/data-rate.store.ts';
import { LOG_COLLECTION } from '../../../src/ports/daq-log.store.ts';
import type { Store } from '../../../src/ports/store.ts';
import { ATTEMPTS_COLLECTION } from '../../../src/retry/attempt-history.store.ts';
import type { RunStore } from '../../../src/run/run.port.ts';
import { RUNS_COLLECTION } from '../../../src/run/run.store.ts';
import { hintOf, RUN_WATCH_PIPELINE } from '../../../src/run/run-watch.ts';
import type { Difference } from './changes.ts';
import { type Change, MemoryCollection } from './collection.ts';
import { aggregate } from './engine.ts';

export { MemoryCollection } from './collection.ts';

/**
 * A store in memory, for the simulation of many hosts: the stores of `src` (`*.store.ts`) with all their
 * filters, update documents and lost-answer handling, on collections that carry them out with
 * MongoDB's meaning. (The store's contract suite runs on it as on a server.)
 *
 *     const database = createDatabase(() => clock.now());         // virtual time, ms since 1970
 *     const store = openStore(database, {
 *       call: async (operation, carryOut) => {                    // one host's way to the database
 *         await scheduler.turn(host, operation);                  // delayed as the scheduler likes
 *         if (scheduler.says('lost before')) throw notCarriedOut(operation);
 *         const answer = await carryOut();                        // at once, as a whole
 *         if (scheduler.says('lost after')) throw answerLost(operation);
 *         await scheduler.turn(host, operation);                  // the answer on its way back
 *         return answer;
 *       },
 *       hint: (deliver) => scheduler.later(deliver),              // or never, twice, in another order
 *       pause: (milliseconds) => clock.sleep(milliseconds),
 *     });
 *     await database.runs.insertOne({ number: 1, ... });          // as the DAQ does, past all hooks
 *     await database.runs.updateOne({ number: 1 }, { $set: { bootstrax: { state: 'failed' } } });
 *     for (const run of database.runs.all()) checkInvariants(run);
 *
 * Nothing in here waits for real time. What is read is frozen and shared with the database.
 */
export interface MemoryDatabase {
  readonly runs: MemoryCollection;
  readonly hosts: MemoryCollection;
  readonly attempts: MemoryCollection;
  readonly ebMonitor: MemoryCollection;
  readonly log: MemoryCollection;
  readonly rates: MemoryCollection;
  /** Milliseconds since 1970, of the server. */
  readonly now: () => number;
  /** By the name it has on a server. */
  collection(name: string): MemoryCollection;
}

export interface Hooks {
  /**
   * Around each call. `carryOut` does the work at once when it is called; not called, nothing
   * happens in the database. What this throws, the caller of the store gets.
   */
  call?: <T>(operation: string, carryOut: () => Promise<T>) => Promise<T>;
  /** For each hint of a change stream: `deliver` hands it over. Not within the write: later. */
  hint?: (deliver: () => void) => void;
  /** The wait before a conditional write whose answer was lost is tried again. */
  pause?: (milliseconds: number) => Promise<void>;
}

/** Heartbeats kept: more than the hosts of a simulation write within the times that are asked for. */
export const MOST_HEARTBEATS = 1000;

/** `now`: milliseconds since 1970, more than 0. */
export function createDatabase(now: () => number): MemoryDatabase {
  const collections = new Map<string, MemoryCollection>();
  const collection = (name: string): MemoryCollection => {
    let found = collections.get(name);
    if (found === undefined) {
      found = new MemoryCollection(
        now,
        name === EB_MONITOR_COLLECTION ? MOST_HEARTBEATS : Infinity,
      );
      collections.set(name, found);
    }
    return found;
  };
  return {
    runs: collection(RUNS_COLLECTION),
    hosts: collection(HOSTS_COLLECTION),
    attempts: collection(ATTEMPTS_COLLECTION),
    ebMonitor: collection(EB_MONITOR_COLLECTION),
    log: collection(LOG_COLLECTION),
    rates: collection(RATES_COLLECTION),
    now,
    collection,
  };
}

/** One host's store. */
export function openStore(database: MemoryDatabase, hooks: Hooks = {}): Store {
  const { call = (_, carryOut) => carryOut(), hint = queueMicrotask } = hooks;
  const { pause = () => Promise.resolve() } = hooks;
  const once: Caller['once'] = async (operation, run) => {
    try {
      return await call(operation, run);
    } catch (error) {
      if (error instanceof MongoError) throw toStoreError(error, operation, 'simulated');
      throw error;
    }
  };
  const lasting: Caller['lasting'] = (operation, _limitSeconds, run) => once(operation, run);
  const caller: Caller = { once, lasting, repeatable: once, pause };
  const reach = (name: string) =>
    boundedCollection(name, () => database.collection(name) as unknown as DriverCollection, caller);
  const serverTime = () =>
    once('asking for the time', () => Promise.resolve(new Date(database.now())));
  return {
    ...composeStore({
      inRuns: reach,
      inDaq: reach,
      runsTime: serverTime,
      daqTime: serverTime,
      watchRuns: (onHint, signal) =>
        watch(database.runs, signal, hint, (change) => {
          if (change === null) return () => onHint(null);
          const event = seenBy(change);
          const found = event === null ? null : hintOf(event);
          return found === null ? null : () => onHint(found);
        }),
      watchActions: (onHint, signal) =>
        watch(database.collection(ACTIONS_COLLECTION), signal, hint, () => onHint),
      watchRates: (number, onHint, signal) =>
        watch(database.rates, signal, hint, (change) => {
          const concerns =
            change === null ||
            (change.operationType === 'insert' &&
              (change.fullDocument as Document).number === number);
          return concerns ? onHint : null;
        }),
    }),
    ping: () => once('ping', () => Promise.resolve()),
    hostsCollectionId: () => Promise.resolve(null),
    ensureIndexes: () => Promise.resolve(),
    heartbeatsBound: () => Promise.resolve({ bound: 'capped', command: '' }),
    missingIndexes: () => Promise.resolve([]),
    close: () => Promise.resolve(),
  };
}

/** One event serves all who watch. */
const filtered = new WeakMap<Change, Document | null>();

/** `RUN_WATCH_PIPELINE` lets an event through, or not, by the names of the fields alone. */
const namesPassed = new Map<string, boolean>();

function seenBy(change: Change): Document | null {
  let event = filtered.get(change);
  if (event !== undefined) return event;
  const names = [change.operationType, ...namesIn(change)].join(' ');
  if (namesPassed.get(names) === false) return null;
  event = aggregate([change], RUN_WATCH_PIPELINE)[0] ?? null;
  filtered.set(change, event);
  namesPassed.set(names, event !== null);
  return event;
}

function namesIn({ updateDescription }: Change): string[] {
  if (updateDescription === undefined) return [];
  const { updatedFields, removedFields, truncatedArrays } = updateDescription as Difference;
  return [
    ...Object.keys(updatedFields),
    ...removedFields,
    ...truncatedArrays.map(({ field }) => field),
  ];
}

function watch(
  collection: MemoryCollection,
  signal: AbortSignal,
  hint: (deliver: () => void) => void,
  hintFor: (change: Change | null) => (() => void) | null,
): ReturnType<RunStore['watch']> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve('aborted');
      return;
    }
    const pass = (change: Change | null): void => {
      const tell = hintFor(change);
      if (tell === null) return;
      hint(() => {
        if (!signal.aborted) tell();
      });
    };
    const stop = collection.listen(pass);
    signal.addEventListener('abort', () => {
      stop();
      resolve('aborted');
    });
    // What happened before is not told of.
    pass(null);
  });
}

/** For a hook: the call did not reach the database. */
export function notCarriedOut(operation: string): StoreError {
  return new StoreError('unreachable', `${operation}: no connection (simulated)`);
}

/** For a hook: whether the call was carried out is unknown to its caller. */
export function answerLost(operation: string): StoreError {
  return new StoreError('unreachable', `${operation}: the answer was lost (simulated)`, {
    uncertain: true,
    transient: true,
  });
}
