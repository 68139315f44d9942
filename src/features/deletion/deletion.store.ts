import type { Document } from 'mongodb';

import type { Collection } from '../../infra/mongo/collection.ts';
import { type Expression, literal } from '../../infra/mongo/expressions.ts';
import type { IndexSpec } from '../../infra/mongo/indexes.ts';
import type { DeletionDocument, DeletionRequest, DeletionStore } from './deletion.port.ts';

export const DELETIONS_COLLECTION = 'bootstrax_deletions';

const index = (name: string, key: Record<string, 1 | -1>): IndexSpec => ({
  database: 'runs',
  collection: DELETIONS_COLLECTION,
  name,
  key,
});

export const DELETION_INDEXES: readonly IndexSpec[] = [
  index('run', { run: 1 }),
  index('state_host', { state: 1, host: 1 }),
  index('begun', { begun: 1 }),
];

const UNFINISHED = ['checking', 'deleting'];
const MOST_UNFINISHED = 1000;

/** Fields of a deletion that has not begun, or begins again. */
const BLANK: Record<string, unknown> = {
  state: 'checking',
  problem: null,
  cause: null,
  folder: null,
  location: null,
  vouched_by: [],
  how: null,
  checked: null,
  files: null,
  bytes: null,
  bytes_freed: null,
  ended: null,
};

/** `again`: begins a deletion that was refused or does not exist; one that goes on or is done stays. */
export function requestUpdate({ run, host }: DeletionRequest, again: boolean): Document[] {
  const restart = again ? { $eq: ['$state', 'refused'] } : false;
  const fields = Object.entries(BLANK).map(([name, value]): [string, Expression] => [
    name,
    {
      $cond: [
        { $or: [restart, { $eq: [{ $type: '$state' }, 'missing'] }] },
        literal(value),
        `$${name}`,
      ],
    },
  ]);
  return [
    {
      $set: {
        run,
        host: literal(host),
        begun: { $ifNull: ['$begun', '$$NOW'] },
        ...Object.fromEntries(fields),
      },
    },
  ];
}

export function createDeletionStore(deletions: Collection): DeletionStore {
  // The id is a string of ours, not an ObjectId of the driver's.
  const byId = (attempt: string) => ({ _id: attempt }) as Document;
  const unfinished = (attempt: string) =>
    ({ _id: attempt, state: { $in: UNFINISHED } }) as Document;
  return {
    request: async (request, { again } = { again: false }) => {
      await deletions.repeatUpdateOne(
        'deletions.request',
        byId(request.attempt),
        requestUpdate(request, again),
        { upsert: true },
      );
    },
    begin: async (attempt, { vouchedBy, ...found }) => {
      await deletions.repeatUpdateOne('deletions.begin', unfinished(attempt), [
        {
          $set: {
            ...Object.fromEntries(
              Object.entries(found).map(([name, value]) => [name, literal(value)]),
            ),
            vouched_by: literal(vouchedBy),
            checked: '$$NOW',
            state: 'deleting',
            problem: null,
          },
        },
      ]);
    },
    note: async (attempt, problem) => {
      await deletions.repeatUpdateOne('deletions.note', unfinished(attempt), [
        { $set: { problem: literal(problem) } },
      ]);
    },
    done: async (attempt) => {
      await deletions.repeatUpdateOne('deletions.end', unfinished(attempt), [
        { $set: { state: 'done', bytes_freed: '$bytes', problem: null, ended: '$$NOW' } },
      ]);
    },
    refuse: async (attempt, cause) => {
      await deletions.repeatUpdateOne('deletions.end', unfinished(attempt), [
        { $set: { state: 'refused', cause: literal(cause), problem: null, ended: '$$NOW' } },
      ]);
    },
    get: async (attempt) => {
      const [document] = await deletions.find(byId(attempt), { limit: 1 });
      return document === undefined ? null : deletionOf(document);
    },
    unfinished: async (host) =>
      (
        await deletions.find(
          { state: { $in: UNFINISHED }, ...(host === null ? {} : { host }) },
          { limit: MOST_UNFINISHED },
        )
      )
        .map(deletionOf)
        .sort((a, b) => a.begun.getTime() - b.begun.getTime()),
    ofRun: async (run) =>
      (await deletions.find({ run }, { limit: MOST_UNFINISHED }))
        .map(deletionOf)
        .sort((a, b) => b.begun.getTime() - a.begun.getTime()),
    since: async (begun, limit) =>
      (await deletions.find({ begun: { $gte: begun } }, { sort: { begun: -1 }, limit })).map(
        deletionOf,
      ),
  };
}

/** Reads a deletion; a field of a wrong type gets a default. */
function deletionOf(document: Document): DeletionDocument {
  const { _id, run, host, state, vouched_by: vouchedBy, ...fields } = document;
  const text = (name: string) => (typeof fields[name] === 'string' ? fields[name] : null);
  const count = (name: string) => (typeof fields[name] === 'number' ? fields[name] : null);
  const date = (name: string) => (fields[name] instanceof Date ? fields[name] : null);
  return {
    attempt: String(_id),
    run: Number(run),
    host: String(host),
    state: state as DeletionDocument['state'],
    problem: text('problem'),
    cause: text('cause'),
    begun: date('begun') ?? new Date(0),
    checked: date('checked'),
    ended: date('ended'),
    folder: text('folder'),
    location: text('location'),
    vouchedBy: Array.isArray(vouchedBy) ? (vouchedBy as DeletionDocument['vouchedBy']) : [],
    how: text('how'),
    files: count('files'),
    bytes: count('bytes'),
    bytesFreed: count('bytes_freed'),
  };
}
