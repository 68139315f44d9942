import type { Document } from 'mongodb';

import { type AttemptTimes, readTimes } from '../attempt/attempt-times.pure.ts';
import type { Collection } from '../infra/mongo/collection.ts';
import { literal, objectAt } from '../infra/mongo/expressions.ts';
import type { IndexSpec } from '../infra/mongo/indexes.ts';
import { fieldsOf } from '../infra/values/bson-values.pure.ts';
import type {
  AttemptDocument,
  AttemptRecord,
  AttemptStore,
  FailureQuery,
  GroupedFailures,
  StoredOutcome,
} from './attempt-history.port.ts';
import type { EndedFigures } from './attempt-metrics.pure.ts';
import { blame, type PastFailure } from './blame.pure.ts';
import type { Cause } from './causes.pure.ts';
import { storedCause, storedCauseText } from './stored-cause.pure.ts';

export const ATTEMPTS_COLLECTION = 'bootstrax_attempts';

const index = (name: string, key: Record<string, 1 | -1>): IndexSpec => ({
  database: 'runs',
  collection: ATTEMPTS_COLLECTION,
  name,
  key,
});

export const ATTEMPT_INDEXES: readonly IndexSpec[] = [
  index('run_started', { run: 1, started: 1 }),
  index('host_ended', { host: 1, ended: 1 }),
  index('host_debt', { host: 1, 'debt.offered': 1 }),
  index('counted_ended', { 'result.counted': 1, ended: 1 }),
];

const MOST_UNFINISHED = 1000;
const MOST_FAILURES = 1000;
const MOST_SUCCESSES = 1000;
const MOST_RUNS_PER_GROUP = 20;
const NEWEST_FIRST = { ended: -1 } as const;
const FAILURE_PROJECTION = {
  run: 1,
  host: 1,
  ended: 1,
  'result.counted': 1,
  'result.fingerprint': 1,
  'result.reason': 1,
  'result.outcome': 1,
  'result.cause': 1,
  'result.meaning': 1,
} as const;

const FIGURES_PROJECTION = {
  ended: 1,
  ofDebt: 1,
  times: 1,
  'result.outcome': 1,
  'result.cause': 1,
  'result.meaning.class': 1,
  'result.dropped': 1,
  'result.seconds': 1,
  'result.peakMemoryBytes': 1,
  'result.bytes': 1,
} as const;

export function beginUpdate(record: AttemptRecord): Document[] {
  const fields = Object.entries(record).filter(([name]) => name !== 'attempt');
  return [
    {
      $set: {
        ...Object.fromEntries(fields.map(([name, value]) => [name, literal(value)])),
        started: { $ifNull: ['$started', '$$NOW'] },
        ended: { $ifNull: ['$ended', null] },
        result: { $ifNull: ['$result', null] },
      },
    },
  ];
}

export function endUpdate(outcome: StoredOutcome, times?: AttemptTimes): Document[] {
  return [
    {
      $set: {
        ended: { $ifNull: ['$ended', '$$NOW'] },
        result: literal(outcome),
        ...(times === undefined
          ? {}
          : { times: { $mergeObjects: [objectAt('$times'), literal(times)] } }),
      },
    },
  ];
}

export function createAttemptStore(attempts: Collection): AttemptStore {
  // The id is a string of ours, not an ObjectId of the driver's.
  const byId = (attempt: string) => ({ _id: attempt }) as Document;
  return {
    begin: async (record) => {
      await attempts.repeatUpdateOne('attempts.begin', byId(record.attempt), beginUpdate(record), {
        upsert: true,
      });
    },
    plan: async (attempt, plan) => {
      await attempts.repeatUpdateOne('attempts.plan', byId(attempt), [
        { $set: { plan: literal(plan) } },
      ]);
    },
    end: async (attempt, outcome, { unlessEnded = false, times } = {}) => {
      const filter = { ...byId(attempt), ...(unlessEnded ? { ended: null } : {}) };
      const update = endUpdate(outcome, times);
      return (await attempts.repeatUpdateOne('attempts.end', filter, update)) === 1;
    },
    get: async (attempt) => {
      const [document] = await attempts.find(byId(attempt), { limit: 1 });
      return document === undefined ? null : attemptOf(document);
    },
    ofRun: async (run, limit) =>
      (await attempts.find({ run }, { sort: { started: -1 }, limit })).map(attemptOf),
    endedBetween: async (from, to) => {
      // One range of the index for each value.
      const halves = await Promise.all(
        [true, false].map((counted) =>
          attempts.find(
            { 'result.counted': counted, ended: { $gte: from, $lt: to } },
            { projection: FIGURES_PROJECTION },
          ),
        ),
      );
      return halves.flat().flatMap(figuresOf);
    },
    unfinished: async (host) =>
      (await attempts.find({ host, ended: null }, { limit: MOST_UNFINISHED })).map(attemptOf),
    endedOn: async (host, since, limit) =>
      (await attempts.find({ host, ended: { $gte: since } }, { sort: { ended: -1 }, limit })).map(
        attemptOf,
      ),
    successesElsewhere: async (host, since) => {
      const found = await attempts.find(
        {
          'result.counted': false,
          ended: { $gte: since },
          'result.outcome': 'done',
          host: { $ne: host },
        },
        { projection: { host: 1, ended: 1 }, sort: { ended: -1 }, limit: MOST_SUCCESSES },
      );
      // The newest of each host comes last, and stays.
      const last = new Map(
        found.reverse().map((each) => [each.host as string, each.ended as Date]),
      );
      return [...last].map(([name, ended]) => ({ host: name, last: ended }));
    },
    failureGroups: async (since, limit) =>
      groupFailures(await readFailures(attempts, { since })).slice(0, limit),
    failures: async (query) => (await readFailures(attempts, query)).map(pastFailure),
  };
}

function figuresOf(document: Document): EndedFigures[] {
  const { _id, ended, ofDebt, times, result } = document as Record<string, unknown>;
  if (!(ended instanceof Date)) return [];
  const end = fieldsOf(result);
  const { outcome, cause, dropped, seconds, peakMemoryBytes, bytes } = end;
  const text = (value: unknown) => (typeof value === 'string' ? value : null);
  const number = (value: unknown) => (typeof value === 'number' ? value : null);
  return [
    {
      attempt: String(_id),
      ended,
      ofDebt: ofDebt === true,
      outcome: text(outcome) ?? '',
      cause: text(cause),
      meaning: storedCause(end)?.class ?? null,
      dropped: Array.isArray(dropped) ? dropped.length : 0,
      seconds: number(seconds),
      peakMemoryBytes: number(peakMemoryBytes),
      bytes: number(bytes),
      times: readTimes(times),
    },
  ];
}

/** Counted and not, each by its own range of the index; newest first. */
async function readFailures(attempts: Collection, query: FailureQuery): Promise<Document[]> {
  const { since, fingerprints, classes, notOn } = query;
  const narrower = {
    ...(fingerprints === undefined ? {} : { 'result.fingerprint': { $in: [...fingerprints] } }),
    ...(classes === undefined ? {} : { 'result.meaning.class': { $in: [...classes] } }),
    ...(notOn === undefined ? {} : { host: { $ne: notOn } }),
  };
  const options = { projection: FAILURE_PROJECTION, sort: NEWEST_FIRST, limit: MOST_FAILURES };
  const inRange = (counted: boolean) => ({ 'result.counted': counted, ended: { $gte: since } });
  const [counted, uncounted] = await Promise.all([
    attempts.find({ ...inRange(true), ...narrower }, options),
    attempts.find(
      { ...inRange(false), 'result.outcome': { $in: ['requeued', 'failed'] }, ...narrower },
      options,
    ),
  ]);
  const endMs = ({ ended }: Document) => (ended as Date).getTime();
  return [...counted, ...uncounted].sort((a, b) => endMs(b) - endMs(a));
}

function pastFailure({ run, host, result }: Document): PastFailure {
  const { fingerprint } = result as StoredOutcome;
  return {
    run: run as number,
    host: host as string,
    fingerprint: fingerprint ?? null,
    class: storedCause(result as StoredOutcome)?.class ?? null,
  };
}

/** Groups failures, given newest first, by fingerprint; most frequent first. */
export function groupFailures(failures: readonly Document[]): GroupedFailures[] {
  const byFingerprint = new Map<string, Document[]>();
  for (const failure of failures) {
    const key = (failure.result as StoredOutcome).fingerprint ?? 'unknown';
    const group = byFingerprint.get(key);
    if (group === undefined) byFingerprint.set(key, [failure]);
    else group.push(failure);
  }
  const groups = [...byFingerprint].map(([fingerprint, group]) => failureGroup(fingerprint, group));
  return groups.sort((a, b) => b.count - a.count);
}

function failureGroup(fingerprint: string, failures: readonly Document[]): GroupedFailures {
  const [newest] = failures;
  const result = newest?.result as StoredOutcome;
  const runs = [...new Set(failures.map(({ run }) => run as number))];
  return {
    fingerprint,
    count: failures.length,
    counted: failures.filter((each) => (each.result as StoredOutcome).counted).length,
    runs: runs.slice(0, MOST_RUNS_PER_GROUP),
    last: newest?.ended as Date,
    reason: result.reason ?? '',
    meaning: (result.meaning as Cause | undefined) ?? null,
    cause: storedCauseText(result),
    blame: blame(failures.map(pastFailure)),
  };
}

/** As it is stored, with its id. */
export function attemptOf(document: Document): AttemptDocument {
  const { _id, ...fields } = document as Document & { _id: unknown };
  return { attempt: String(_id), ...fields } as AttemptDocument;
}
