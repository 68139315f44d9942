import type { Document, ObjectId } from 'mongodb';

import { createClaimStore } from '../claim/claim.store.ts';
import { countQueue } from '../claim/queue-counts.store.ts';
import type { DatabaseWrite } from '../infra/crash-points/points.ts';
import type { Collection } from '../infra/mongo/collection.ts';
import { compareAndSet } from '../infra/mongo/compare-and-set.ts';
import type { IndexSpec } from '../infra/mongo/indexes.ts';
import { idText } from './document-id.ts';
import { STATUS_TO_REPLACE } from './hand-on.pure.ts';
import type { Fence, Fenced, RunStore } from './run.port.ts';
import { readRun, type StoredRun } from './run.pure.ts';
import { unregisterStage, withdrawLiveStage } from './run-data.ts';
import type { RunDocument, Seen } from './run-document.port.ts';
import {
  doneUnfinishedFilters,
  fenceFilter,
  forFaultFilter,
  forNumberFilter,
  liveOfDoneFilter,
  notTagged,
  PLACES_PROJECTION,
  RUN_PROJECTION,
  SEEN_PROJECTION,
  seenFilter,
  setAsideFilter,
  UNSETTLED_STATES,
  unsettledFilter,
  waitingFilter,
  waitingTaggedFilters,
  withdrawFilters,
  withoutStatusFilters,
} from './run-filters.ts';
import { highestNumber, listRuns } from './run-list.store.ts';
import { suspects } from './run-suspects.store.ts';
import { HOLD_TAG } from './run-tags.pure.ts';
import {
  busyUpdate,
  concludedState,
  concludeUpdate,
  FINISHED_STATUS,
  heartbeatUpdate,
  holdUpdate,
  jobUpdate,
  releaseUpdate,
  renumberUpdate,
  retryUpdate,
  settleUpdate,
  statusStage,
  unregisterUpdate,
  withAction,
} from './run-updates.ts';
import { seenOf, storedRuns } from './stored-runs.ts';

export const RUNS_COLLECTION = 'runs';

const index = (name: string, key: Record<string, 1 | -1>): IndexSpec => ({
  database: 'runs',
  collection: RUNS_COLLECTION,
  name,
  key,
});

export const RUN_INDEXES: readonly IndexSpec[] = [
  index('number', { number: 1 }),
  index('start', { start: 1 }),
  index('state_start', { 'bootstrax.state': 1, start: 1 }),
  index('state_number', { 'bootstrax.state': 1, number: 1 }),
  index('state_status_start', { 'bootstrax.state': 1, status: 1, start: 1 }),
  index('state_end_start', { 'bootstrax.state': 1, end: 1, start: 1 }),
  index('tag_state_start', { 'tags.name': 1, 'bootstrax.state': 1, start: 1 }),
  index('tag_text_state_start', { tags: 1, 'bootstrax.state': 1, start: 1 }),
  index('state_retry', {
    'bootstrax.state': 1,
    'bootstrax.next_retry': 1,
    'bootstrax.n_failures': 1,
  }),
  index('state_failures_retry', {
    'bootstrax.state': 1,
    'bootstrax.n_failures': 1,
    'bootstrax.next_retry': 1,
  }),
];

/** A write that lands only while the fence holds. */
interface FencedUpdate {
  states: readonly string[];
  update: Document[];
  /** Whether a repeated write has landed already; absent: it does no harm when repeated, and leaves no trace. */
  landed?: (document: StoredRun) => boolean;
  repeated?: boolean | undefined;
}

/** `serverTime` is asked only to find the newest runs. */
export function createRunStore(
  runs: Collection,
  serverTime: () => Promise<Date>,
  watch: RunStore['watch'],
): RunStore {
  let highestKnown: number | null = null;

  /** Runs that are set aside, in the order of their ids. */
  const setAside = async (which: Document, after: ObjectId | null, limit: number) =>
    storedRuns(
      await runs.aggregate([
        { $match: setAsideFilter() },
        { $match: { ...which, ...(after === null ? {} : { _id: { $gt: after } }) } },
        { $sort: { _id: 1 } },
        { $limit: limit },
        { $project: RUN_PROJECTION },
      ]),
    );

  const all = async (filter: Document, projection: Document = RUN_PROJECTION) =>
    storedRuns(await runs.find(filter, { projection }));

  /** One query after the other: housekeeping has time. */
  /**
   * `also` is a stage of its own: beside an equality that is not in the index of `filters` the
   * embedded server would read all runs of the state.
   */
  async function newestOfEach(
    filters: readonly Document[],
    limit: number,
    also: Document = {},
  ): Promise<RunDocument[]> {
    const found = new Map<string, RunDocument>();
    for (const filter of filters) {
      const documents = await runs.aggregate([
        { $match: filter },
        { $match: also },
        { $sort: { start: -1 } },
        { $limit: limit },
        { $project: RUN_PROJECTION },
      ]);
      for (const document of storedRuns(documents)) found.set(idText(document._id), document);
    }
    return newestFirst([...found.values()]);
  }

  async function fenced(
    write: DatabaseWrite,
    fence: Fence,
    { states, update, landed = () => false, repeated = false }: FencedUpdate,
  ): Promise<Fenced> {
    const done = await compareAndSet(runs, {
      write,
      id: fence.id,
      expected: fenceFilter(fence, states),
      update,
      projection: { bootstrax: 1 },
      landed: (document) => landed(readRun(document)),
      repeated,
    });
    return done ? 'landed' : 'superseded';
  }

  const unsettled = ({ state }: Fence): readonly string[] =>
    state === undefined ? UNSETTLED_STATES : [state];

  const owned =
    (fence: Fence, state: string) =>
    ({ bootstrax }: StoredRun) =>
      bootstrax.attempt === fence.attempt &&
      bootstrax.host === fence.host &&
      bootstrax.state === state;

  async function settled(
    write: DatabaseWrite,
    seen: Seen,
    update: Document[],
    landed: (document: StoredRun) => boolean,
  ): Promise<'landed' | 'changed'> {
    const done = await compareAndSet(runs, {
      write,
      id: seen.id,
      expected: seenFilter(seen),
      update,
      projection: { bootstrax: 1 },
      landed: (document) => {
        const stored = readRun(document);
        return stored.ownership.attempt === null && landed(stored);
      },
    });
    return done ? 'landed' : 'changed';
  }

  return {
    ...createClaimStore(runs),
    ownRuns: (host) => all(unsettledFilter(host)),
    unsettled: async () => (await all(unsettledFilter(), SEEN_PROJECTION)).map(seenOf),
    waitingTagged: async (tag, limit) => {
      const found = new Map<string, RunDocument>();
      for (const filter of waitingTaggedFilters(tag)) {
        for (const document of storedRuns(
          await runs.find(filter, { projection: RUN_PROJECTION, limit }),
        )) {
          found.set(idText(document._id), document);
        }
      }
      return [...found.values()].slice(0, limit);
    },
    doneUnfinished: (query) => newestOfEach(doneUnfinishedFilters(query), query.limit),
    doneWithoutStatus: ({ since, host, limit }) =>
      newestOfEach(withoutStatusFilters(since), limit, { 'bootstrax.host': host }),
    byNumber: (number) => all({ number }),
    numbered: (from, to) => all({ number: { $gte: from, $lte: to } }, PLACES_PROJECTION),
    byIds: (ids) => (ids.length === 0 ? Promise.resolve([]) : all({ _id: { $in: [...ids] } })),
    byId: async (id) => (await all({ _id: id }))[0] ?? null,
    ofNumbers: async (numbers) =>
      numbers.length === 0
        ? []
        : all({ number: { $in: [...new Set(numbers)] } }, PLACES_PROJECTION),
    setAsideForNumber: (after, limit) => setAside(forNumberFilter(), after, limit),
    setAsideForFault: (after, limit) => setAside(forFaultFilter(), after, limit),

    list: async (query) => {
      highestKnown = await highestNumber(runs, highestKnown, await serverTime());
      return listRuns(runs, query, highestKnown);
    },
    suspects: async (query) => {
      const now = await serverTime();
      highestKnown = await highestNumber(runs, highestKnown, now);
      return suspects(runs, query, highestKnown, now);
    },

    queueCounts: (now, giveUpAfter) => countQueue(runs, now, giveUpAfter),

    markBusy: (fence, plan, again) =>
      fenced('runs.busy', fence, {
        states: ['considering'],
        update: busyUpdate(plan),
        landed: owned(fence, 'busy'),
        repeated: again,
      }),
    heartbeat: (fence, state, progress, waitsFor) =>
      fenced('runs.heartbeat', fence, {
        states: [state],
        update: heartbeatUpdate(progress, waitsFor),
      }),
    noteJob: (fence, job, waitsFor) =>
      fenced('runs.heartbeat', fence, {
        states: ['considering'],
        update: jobUpdate(job, waitsFor),
      }),
    renewWaiting: (fences, waitsFor) =>
      runs.repeatUpdateAll(
        'runs.renew_waiting',
        waitingFilter(fences),
        heartbeatUpdate(null, waitsFor),
      ),
    unregisterData: (fence, locations) =>
      fenced('runs.unregister', fence, {
        states: unsettled(fence),
        update: unregisterUpdate(fence.host, locations),
      }),
    withdrawData: async (id, host, locations) => {
      if (locations.length === 0) return;
      for (const filter of withdrawFilters(id, host)) {
        await runs.repeatUpdateOne('runs.withdraw', filter, [unregisterStage(host, locations)]);
      }
    },

    withdrawSettled: async (seen, host, locations) => {
      const done = await compareAndSet(runs, {
        write: 'runs.withdraw',
        id: seen.id,
        expected: {
          ...seenFilter(seen),
          // Two conditions on one field instead of an `$and`, for which some servers use no index.
          'bootstrax.state': { $eq: seen.state, $nin: [...UNSETTLED_STATES] },
        },
        update: [unregisterStage(host, locations)],
        projection: { 'data.host': 1, 'data.location': 1 },
        landed: (document) =>
          !readRun(document).data.some(
            (entry) =>
              entry.host === host && entry.location !== null && locations.includes(entry.location),
          ),
      });
      return done ? 'landed' : 'changed';
    },

    conclude: async (fence, conclusion, again) => {
      const landed = await fenced('runs.conclude', fence, {
        states: unsettled(fence),
        update: concludeUpdate(fence, conclusion),
        landed: ({ own, bootstrax }) =>
          own.lastAttempt === fence.attempt && bootstrax.attempt !== fence.attempt,
        repeated: again,
      });
      if (landed === 'superseded') return { kind: 'superseded' };
      if (conclusion.kind !== 'done') return { kind: 'landed', statusLeft: null };
      return { kind: 'landed', statusLeft: await foreignStatus(runs, fence.id) };
    },

    settle: (seen, host, settlement, action) =>
      settled(
        'runs.settle',
        seen,
        withAction(settleUpdate(host, settlement), action),
        ({ bootstrax, own }) =>
          bootstrax.state === concludedState(settlement) &&
          bootstrax.outcome === settlement.kind &&
          bootstrax.host === host &&
          (action === undefined || own.action === action),
      ),
    retry: (seen, host, failures, { action, ...again } = {}) =>
      settled(
        'runs.retry',
        seen,
        withAction(retryUpdate(host, failures, again), action),
        ({ bootstrax, own }) =>
          bootstrax.state === 'failed' &&
          bootstrax.outcome === 'requeued' &&
          bootstrax.failures === failures &&
          bootstrax.host === host &&
          (action === undefined || own.action === action),
      ),

    renumber: async (seen, number, due, action) => {
      const done = await compareAndSet(runs, {
        write: 'runs.renumber',
        id: seen.id,
        expected: { ...seenFilter(seen), number: { $eq: seen.number } },
        update: withAction(renumberUpdate(number, due), action),
        projection: { number: 1, bootstrax: 1 },
        landed: (document) => {
          const stored = readRun(document);
          return stored.number === number && stored.own.action === action;
        },
      });
      return done ? 'landed' : 'changed';
    },

    mendStatus: async (seen) => {
      const done = await compareAndSet(runs, {
        write: 'runs.mend_status',
        id: seen.id,
        expected: { ...seenFilter(seen), status: { $in: [...STATUS_TO_REPLACE] } },
        update: [statusStage()],
        projection: { status: 1 },
        landed: (document) => readRun(document).status === FINISHED_STATUS,
      });
      return done ? 'landed' : 'changed';
    },
    withdrawLive: async (fence, location, { unlessTagged, again }) => {
      const done = await compareAndSet(runs, {
        write: 'runs.withdraw_live',
        id: fence.id,
        expected: liveOfDoneFilter(fence, location, unlessTagged),
        update: [withdrawLiveStage(fence.host, location)],
        projection: { 'data.type': 1, 'deleted_data.type': 1, 'deleted_data.by': 1 },
        landed: (document) => {
          const { data, deletedData } = readRun(document);
          return (
            !data.some(({ type }) => type === 'live') &&
            deletedData.some(({ type, by }) => type === 'live' && by === fence.host)
          );
        },
        repeated: again,
      });
      return done ? 'landed' : 'changed';
    },
    hold: async (seen, user) => {
      const done = await compareAndSet(runs, {
        write: 'runs.hold',
        id: seen.id,
        expected: { ...seenFilter(seen), ...notTagged(HOLD_TAG) },
        update: holdUpdate(user),
        projection: { tags: 1 },
        landed: isTaggedHold,
      });
      return done ? 'landed' : 'changed';
    },
    release: async (seen) => {
      // A tag as an object, then as plain text: no index would bound one query for both.
      for (const held of [{ 'tags.name': HOLD_TAG }, { tags: HOLD_TAG }]) {
        const done = await compareAndSet(runs, {
          write: 'runs.release',
          id: seen.id,
          expected: { ...seenFilter(seen), ...held },
          update: releaseUpdate(),
          projection: { tags: 1 },
          landed: (document) => !isTaggedHold(document),
        });
        if (done) return 'landed';
      }
      return 'changed';
    },

    watch,
  };
}

function newestFirst(documents: readonly RunDocument[]): RunDocument[] {
  return documents
    .map((document) => ({ document, start: readRun(document).start?.getTime() ?? -Infinity }))
    .sort((a, b) => b.start - a.start)
    .map(({ document }) => document);
}

function isTaggedHold(document: Document): boolean {
  return readRun(document).tags.includes(HOLD_TAG);
}

async function foreignStatus(runs: Collection, id: ObjectId): Promise<string | null> {
  const [document] = await runs.find({ _id: id }, { projection: { status: 1 }, limit: 1 });
  const { status, statusText } = readRun(document);
  return status === FINISHED_STATUS ? null : statusText;
}
