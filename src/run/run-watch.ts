import type { ChangeStreamDocument, Collection, Document } from 'mongodb';

import type { Caller } from '../infra/mongo/call.ts';
import { follow } from '../infra/mongo/watch.ts';
import { fieldsOf } from '../infra/values/bson-values.pure.ts';
import { REPLACED_PROJECTION, ReplacedRuns } from './replaced-runs.ts';
import type { RunHint, RunStore } from './run.port.ts';
import { readRun } from './run.pure.ts';

/** Written every few seconds for each busy run: not news for hosts that wait for work. */
const HEARTBEAT_FIELDS = ['bootstrax.time', 'bootstrax.attempt_time', 'bootstrax.progress'];

const isHeartbeat = {
  $or: [
    { $in: ['$$field.k', HEARTBEAT_FIELDS] },
    { $eq: [{ $indexOfCP: ['$$field.k', 'bootstrax.progress.'] }, 0] },
  ],
};

/** Names of fields that got another value; for `bootstrax.state` the value too. */
const changed = {
  $map: {
    input: { $objectToArray: { $ifNull: ['$updateDescription.updatedFields', {}] } },
    as: 'field',
    in: {
      k: '$$field.k',
      v: { $cond: [{ $eq: ['$$field.k', 'bootstrax.state'] }, '$$field.v', null] },
    },
  },
};

const removed = {
  $map: {
    input: { $ifNull: ['$updateDescription.removedFields', []] },
    as: 'name',
    in: { k: '$$name', v: null },
  },
};

/** Lists that lost their last elements, which the server reports only here. */
const shortened = {
  $map: {
    input: { $ifNull: ['$updateDescription.truncatedArrays', []] },
    as: 'list',
    in: { k: '$$list.field', v: null },
  },
};

/** Filters on the server and leaves out most fields of the documents. */
export const RUN_WATCH_PIPELINE: Document[] = [
  { $match: { operationType: { $in: ['insert', 'replace', 'update'] } } },
  {
    $project: {
      operationType: 1,
      documentKey: 1,
      ...REPLACED_PROJECTION,
      'updateDescription.updatedFields.bootstrax': 1,
      touched: { $concatArrays: [changed, removed, shortened] },
    },
  },
  {
    $match: {
      $or: [
        { operationType: { $ne: 'update' } },
        {
          $expr: {
            $gt: [
              {
                $size: {
                  $filter: { input: '$touched', as: 'field', cond: { $not: [isHeartbeat] } },
                },
              },
              0,
            ],
          },
        },
      ],
    },
  },
];

/** Fields on which hosts decide. */
const WHOLE = ['number', 'tags', 'bootstrax'];

/** The hint that an event of `RUN_WATCH_PIPELINE` gives; null if it gives none. */
export function hintOf(event: Document): RunHint | null {
  const id = (event.documentKey as Document | undefined)?._id as RunHint['id'] | undefined;
  if (id === undefined) return null;
  if (event.operationType !== 'update') {
    const { ownership, number } = readRun(event.fullDocument);
    if (event.operationType !== 'replace') return { kind: 'insert', id, number, touched: [] };
    const { state } = ownership;
    // The event does not say which fields are new.
    return { kind: 'update', id, number, touched: WHOLE, state };
  }
  const touched = (event.touched ?? []) as { k: string; v: unknown }[];
  const rewritten = fieldsOf(fieldsOf(fieldsOf(event.updateDescription).updatedFields).bootstrax);
  const set = touched.find(({ k }) => k === 'bootstrax.state');
  const state = set === undefined ? rewritten.state : set.v;
  return {
    kind: 'update',
    id,
    number: null,
    touched: touched.map(({ k }) => k),
    ...(state === undefined ? {} : { state }),
  };
}

export function watchRuns(collection: () => Collection, caller: Caller): RunStore['watch'] {
  return (onHint, signal, follower) => {
    const replaced = new ReplacedRuns();
    return follow({
      collection,
      caller,
      pipeline: RUN_WATCH_PIPELINE,
      onEvent: (event: ChangeStreamDocument) => {
        const hint = replaced.isNews(event) ? hintOf(event) : null;
        if (hint !== null) onHint(hint);
      },
      onGap: () => {
        replaced.forget();
        onHint(null);
      },
      ...follower,
      signal,
    });
  };
}
