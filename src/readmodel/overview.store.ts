import type { Document } from 'mongodb';

import { readTimes } from '../attempt/attempt-times.pure.ts';
import type { Collection, FindOptions } from '../infra/mongo/collection.ts';
import { fieldsOf } from '../infra/values/bson-values.pure.ts';
import { storedCause, storedCauseText } from '../retry/stored-cause.pure.ts';
import type { RunState } from '../run/run.pure.ts';
import type { RunDocument } from '../run/run-document.port.ts';
import {
  notTagged,
  RUN_PROJECTION,
  unsettledFilter,
  withoutStatusFilters,
} from '../run/run-filters.ts';
import { highestNumber, listRuns, onePage } from '../run/run-list.store.ts';
import { HOLD_TAG } from '../run/run-tags.pure.ts';
import { storedRuns } from '../run/stored-runs.ts';
import { withOlder } from './heartbeats.pure.ts';
import type {
  EndedAttempt,
  FailedAttempt,
  FailureCause,
  OverviewFilter,
  OverviewStore,
  StoredSign,
} from './overview.port.ts';
import type { Condition } from './run-condition.pure.ts';

const WAITING_PROJECTION = { number: 1, start: 1, tags: 1, bootstrax: 1 } as const;

const TAKEN_PROJECTION = {
  number: 1,
  start: 1,
  end: 1,
  'bootstrax.state': 1,
  'bootstrax.time': 1,
  'bootstrax.progress.first_output': 1,
  'bootstrax.progress.covered_seconds': 1,
  'bootstrax.started_processing': 1,
  mode: 1,
  rate: 1,
} as const;

const ENDED_PROJECTION = {
  run: 1,
  host: 1,
  ended: 1,
  'times.firstOutput': 1,
  'result.outcome': 1,
  'result.cause': 1,
  'result.meaning.class': 1,
  'result.meaning.plugin': 1,
  'result.counted': 1,
} as const;

const CAUSE_PROJECTION = {
  'result.outcome': 1,
  'result.cause': 1,
  'result.meaning.class': 1,
  'result.meaning.plugin': 1,
} as const;

const FAILURE_PROJECTION = {
  ...ENDED_PROJECTION,
  'result.fingerprint': 1,
  'result.plugin': 1,
  'result.reason': 1,
  'result.traceback': 1,
  'result.versions': 1,
} as const;

const SIGN_PROJECTION = {
  _id: 0,
  host: 1,
  time: 1,
  state: 1,
  targets: 1,
  cores: 1,
  cpu_percent: 1,
  memory_percent: 1,
  swap_percent: 1,
  disk_used: 1,
  live_disk_used: 1,
  load: 1,
  clock_skew: 1,
  instance: 1,
  pid: 1,
  thinking: 1,
} as const;

/** Hosts that one query covers at most. */
const HOSTS_AT_ONCE = 10;

interface ListFilter {
  state: RunState | null | undefined;
  also: Document;
  /** Tags that the runs must carry. */
  tags: string[];
}

/** A condition as a filter of the database: the state, which has an index, and further terms. */
function conditionFilter(condition: Condition): Omit<ListFilter, 'tags'> & { tags?: string[] } {
  const notHeld = notTagged(HOLD_TAG);
  const retried = { 'bootstrax.next_retry': { $gt: new Date(0) } };
  const notGivenUp = { 'bootstrax.outcome': { $nin: ['given_up', 'set_aside'] } };
  switch (condition) {
    case 'new':
      return { state: null, also: notHeld };
    case 'considering':
    case 'abandoned':
      return { state: condition, also: {} };
    // Only the time tells them apart: the rows say which they are.
    case 'busy':
    case 'stalled':
      return { state: 'busy', also: {} };
    case 'done':
      return { state: 'done', also: { 'bootstrax.plan.dropped.0': { $exists: false } } };
    case 'debt':
      return { state: 'done', also: { 'bootstrax.plan.dropped.0': { $exists: true } } };
    case 'retrying':
      return {
        state: 'failed',
        also: {
          ...retried,
          ...notHeld,
          'bootstrax.outcome': { $nin: ['given_up', 'set_aside', 'requeued'] },
        },
      };
    case 'requeued':
      return {
        state: 'failed',
        also: { ...retried, ...notHeld, 'bootstrax.outcome': 'requeued' },
      };
    case 'given_up':
      return { state: 'failed', also: { 'bootstrax.outcome': 'given_up' } };
    case 'set_aside':
      return {
        state: 'failed',
        also: { 'bootstrax.next_retry': null, 'bootstrax.outcome': { $ne: 'given_up' } },
      };
    case 'held':
      return { state: undefined, also: notGivenUp, tags: [HOLD_TAG] };
  }
}

/** The filters of a listing as a filter of the database. Values are compared, never interpreted. */
export function overviewFilter(query: OverviewFilter): ListFilter {
  const { state, also, tags } =
    query.condition === undefined
      ? { state: undefined, also: {} }
      : conditionFilter(query.condition);
  return {
    state,
    also: {
      ...also,
      ...(query.mode === undefined ? {} : { mode: { $eq: query.mode } }),
      ...(query.detector === undefined ? {} : { detectors: { $eq: query.detector } }),
      ...(query.host === undefined ? {} : { 'bootstrax.host': { $eq: query.host } }),
    },
    tags: [...(tags ?? []), ...(query.tag === undefined ? [] : [query.tag])],
  };
}

/**
 * One filter for each way to write the tags, as text or with a name: an `$or` beside the other fields
 * would keep some servers from bounding the query by its index.
 */
export function taggedFilters(also: Document, tags: readonly string[]): Document[] {
  return tags.reduce<Document[]>(
    (filters, tag) =>
      filters.flatMap((filter) =>
        ['tags.name', 'tags'].map((field) => {
          const before = fieldsOf(filter[field]);
          const all = Array.isArray(before['$all']) ? (before['$all'] as unknown[]) : [];
          return { ...filter, [field]: { ...before, $all: [...all, tag] } };
        }),
      ),
    [also],
  );
}

/** Queries for what people see. It writes nothing. */
export function createOverviewStore(parts: {
  runs: Collection;
  attempts: Collection;
  monitor: Collection;
  history: Collection;
  serverTime: () => Promise<Date>;
}): OverviewStore {
  const { runs, attempts, monitor, history, serverTime } = parts;
  let highestKnown: number | null = null;
  const highest = async (): Promise<number> =>
    (highestKnown = await highestNumber(runs, highestKnown, await serverTime()));
  const documents = async (filter: Document, options: FindOptions = {}): Promise<RunDocument[]> =>
    storedRuns(await runs.find(filter, { projection: RUN_PROJECTION, ...options }));

  const signsIn = async (
    collection: Collection,
    host: string,
    [from, to, limit]: [Date, Date, number],
  ) =>
    (
      await collection.find(
        { host, time: { $gte: from, $lt: to } },
        { projection: SIGN_PROJECTION, sort: { time: -1 }, limit },
      )
    ).flatMap(signOf);
  const ofEach = async (
    collection: Collection,
    hosts: readonly string[],
    span: [Date, Date, number],
  ) => {
    const found: StoredSign[][] = [];
    // One host after the other: not every server finds a time within many hosts by the index.
    for (let i = 0; i < hosts.length; i += HOSTS_AT_ONCE) {
      const some = hosts.slice(i, i + HOSTS_AT_ONCE);
      found.push(...(await Promise.all(some.map((host) => signsIn(collection, host, span)))));
    }
    return found.flat();
  };

  return {
    recent: async (limit) => (await listRuns(runs, { limit }, await highest())).runs,
    working: () => documents(unsettledFilter(), { limit: 1000 }),
    untouched: (limit) =>
      documents({ 'bootstrax.state': null }, { limit, projection: WAITING_PROJECTION }),
    failedSince: (since, limit) =>
      documents(
        { 'bootstrax.state': 'failed', start: { $gte: since } },
        { sort: { start: -1 }, limit },
      ),
    withoutRetry: (limit) =>
      documents({ 'bootstrax.state': 'failed', 'bootstrax.next_retry': null }, { limit }),
    doneWithoutStatus: async (since, limit) => {
      const options = { sort: { start: -1 }, limit } as const;
      const found = await Promise.all(
        withoutStatusFilters(since).map((filter) => documents(filter, options)),
      );
      return found.flat();
    },
    begunSince: (since, limit) =>
      documents({ start: { $gte: since } }, { limit, projection: TAKEN_PROJECTION }),
    list: async (query) => {
      const { state, also, tags } = overviewFilter(query);
      const { limit, before, from, to } = query;
      const asked = {
        limit,
        ...(before === undefined ? {} : { before }),
        ...(from === undefined ? {} : { from }),
        ...(to === undefined ? {} : { to }),
        ...(state === undefined ? {} : { state }),
      };
      const top = await highest();
      const pages = taggedFilters(also, tags).map((each) => listRuns(runs, asked, top, each));
      return onePage(await Promise.all(pages), limit);
    },
    highest,
    numbered: (from, to) => documents({ number: { $gte: from, $lte: to } }),
    ofNumbers: async (numbers) =>
      numbers.length === 0 ? [] : documents({ number: { $in: [...numbers] } }),
    byIds: async (ids) => (ids.length === 0 ? [] : documents({ _id: { $in: [...ids] } })),
    whole: async (number) => storedRuns(await runs.find({ number }, { limit: 5 })),
    endedSince: async (since, limit) => {
      // One range of the index for each value.
      const halves = await Promise.all(
        [true, false].map((counted) =>
          attempts.find(
            { 'result.counted': counted, ended: { $gte: since } },
            { projection: ENDED_PROJECTION, limit },
          ),
        ),
      );
      return halves.flat().flatMap(endedOf);
    },
    causes: async (ids) => {
      if (ids.length === 0) return new Map();
      const found = await attempts.find(
        { _id: { $in: [...ids] } },
        { projection: CAUSE_PROJECTION, limit: ids.length },
      );
      return new Map(found.flatMap(causeOfDocument));
    },
    failuresSince: async (since, limit) =>
      (
        await attempts.find(
          { 'result.counted': true, ended: { $gte: since } },
          { projection: FAILURE_PROJECTION, sort: { ended: -1 }, limit },
        )
      ).flatMap(failureOf),
    signs: (hosts, from, to, limitEach) => ofEach(monitor, hosts, [from, to, limitEach]),
    thinnedSigns: (hosts, from, to, limitEach) => ofEach(history, hosts, [from, to, limitEach]),
    signsOf: async (host, from, to, limit) => {
      const span: [Date, Date, number] = [from, to, limit];
      const [recent, thinned] = await Promise.all([
        signsIn(monitor, host, span),
        signsIn(history, host, span),
      ]);
      return withOlder(recent, thinned);
    },
  };
}

function endedOf(document: Document): EndedAttempt[] {
  const { _id, run, host, ended, times, result } = document as Record<string, unknown>;
  const end = fieldsOf(result);
  const { outcome, counted } = end;
  if (typeof run !== 'number' || typeof host !== 'string' || !(ended instanceof Date)) return [];
  return [
    {
      attempt: String(_id),
      run,
      host,
      ended,
      outcome: textOf(outcome) ?? '',
      class: storedCause(end)?.class ?? null,
      counted: counted === true,
      firstOutput: readTimes(times).firstOutput ?? null,
    },
  ];
}

function causeOfDocument({ _id, result }: Document): [string, FailureCause][] {
  const cause = storedCause(fieldsOf(result));
  return cause === null ? [] : [[String(_id), cause]];
}

function failureOf(document: Document): FailedAttempt[] {
  const end = fieldsOf(document['result']);
  const { fingerprint, plugin, reason, traceback, versions } = end;
  const known = typeof versions === 'object' && versions !== null ? Object.entries(versions) : [];
  return endedOf(document).map((ended) => ({
    ...ended,
    fingerprint: textOf(fingerprint),
    plugin: textOf(plugin),
    cause: storedCauseText(end),
    reason: textOf(reason),
    traceback: textOf(traceback),
    versions: Object.fromEntries(known.map(([name, version]) => [name, String(version)])),
  }));
}

function signOf(document: Document): StoredSign[] {
  const { host, time } = document as Record<string, unknown>;
  if (typeof host !== 'string' || !(time instanceof Date)) return [];
  return [document as StoredSign];
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}
