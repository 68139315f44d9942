import type { Document } from 'mongodb';

import type { Collection } from './collection.ts';
import { literal } from './expressions.ts';
import type { IndexSpec } from './indexes.ts';
import type {
  AttemptDocument,
  AttemptOutcome,
  AttemptRecord,
  AttemptStore,
  FailureGroup,
} from './types.ts';

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
  index('counted_ended', { 'result.counted': 1, ended: 1 }),
];

const MOST_UNFINISHED = 1000;
const MOST_FAILURES = 1000;
const MOST_SUCCESSES = 1000;
const MOST_RUNS_PER_GROUP = 20;

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

export function endUpdate(outcome: AttemptOutcome): Document[] {
  return [{ $set: { ended: { $ifNull: ['$ended', '$$NOW'] }, result: literal(outcome) } }];
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
    end: async (attempt, outcome, { unlessEnded } = { unlessEnded: false }) => {
      const filter = { ...byId(attempt), ...(unlessEnded ? { ended: null } : {}) };
      return (await attempts.repeatUpdateOne('attempts.end', filter, endUpdate(outcome))) === 1;
    },
    get: async (attempt) => {
      const [document] = await attempts.find(byId(attempt), { limit: 1 });
      return document === undefined ? null : attemptOf(document);
    },
    ofRun: async (run, limit) =>
      (await attempts.find({ run }, { sort: { started: -1 }, limit })).map(attemptOf),
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
    failureGroups: async (since, limit) => {
      const failures = await attempts.find(
        { 'result.counted': true, ended: { $gte: since } },
        {
          projection: { run: 1, ended: 1, 'result.fingerprint': 1, 'result.reason': 1 },
          sort: { ended: -1 },
          limit: MOST_FAILURES,
        },
      );
      return groupFailures(failures).slice(0, limit);
    },
  };
}

/** Groups failures, given newest first, by fingerprint; most frequent first. */
export function groupFailures(failures: readonly Document[]): FailureGroup[] {
  const groups = new Map<string, FailureGroup>();
  for (const failure of failures) {
    const { fingerprint, reason } = failure.result as AttemptOutcome;
    const key = fingerprint ?? 'unknown';
    const run = failure.run as number;
    const group = groups.get(key);
    if (group === undefined) {
      groups.set(key, {
        fingerprint: key,
        count: 1,
        runs: [run],
        last: failure.ended as Date,
        reason: reason ?? '',
      });
      continue;
    }
    group.count += 1;
    if (!group.runs.includes(run) && group.runs.length < MOST_RUNS_PER_GROUP) group.runs.push(run);
  }
  return [...groups.values()].sort((a, b) => b.count - a.count);
}

function attemptOf(document: Document): AttemptDocument {
  const { _id, ...fields } = document as Document & { _id: unknown };
  return { attempt: String(_id), ...fields } as AttemptDocument;
}
