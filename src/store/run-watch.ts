import type { ChangeStreamDocument, Collection, Document } from 'mongodb';

import type { Caller } from './call.ts';
import type { RunHint, RunStore } from './types.ts';
import { follow } from './watch.ts';

/** Written every few seconds by each busy host: of interest to nobody who waits for work. */
const LIFE_SIGNS = ['bootstrax.time', 'bootstrax.progress'];

const isLifeSign = {
  $or: [
    { $in: ['$$field.k', LIFE_SIGNS] },
    { $eq: [{ $indexOfCP: ['$$field.k', 'bootstrax.progress.'] }, 0] },
  ],
};

/** Filters on the server, and leaves out the documents themselves. */
export const RUN_WATCH_PIPELINE: Document[] = [
  {
    $match: {
      $or: [
        { operationType: { $in: ['insert', 'replace'] } },
        {
          operationType: 'update',
          $expr: {
            $gt: [
              {
                $size: {
                  $filter: {
                    input: { $objectToArray: '$updateDescription.updatedFields' },
                    as: 'field',
                    cond: { $not: [isLifeSign] },
                  },
                },
              },
              0,
            ],
          },
        },
      ],
    },
  },
  {
    $project: {
      operationType: 1,
      documentKey: 1,
      'fullDocument.number': 1,
      'updateDescription.updatedFields.bootstrax': 1,
      touched: {
        $map: {
          input: { $objectToArray: { $ifNull: ['$updateDescription.updatedFields', {}] } },
          as: 'field',
          in: {
            k: '$$field.k',
            v: { $cond: [{ $eq: ['$$field.k', 'bootstrax.state'] }, '$$field.v', null] },
          },
        },
      },
    },
  },
];

/** The hint that an event of `RUN_WATCH_PIPELINE` gives; null if it gives none. */
export function hintOf(event: Document): RunHint | null {
  const id = (event.documentKey as Document | undefined)?._id as RunHint['id'] | undefined;
  if (id === undefined) return null;
  if (event.operationType !== 'update') {
    const number = (event.fullDocument as Document | undefined)?.number as unknown;
    return {
      kind: 'insert',
      id,
      number: typeof number === 'number' ? number : null,
      touched: [],
    };
  }
  const touched = (event.touched ?? []) as { k: string; v: unknown }[];
  const whole = (event.updateDescription as Document | undefined)?.updatedFields as
    Document | undefined;
  const rewritten = whole?.bootstrax as { state?: unknown } | null | undefined;
  const set = touched.find(({ k }) => k === 'bootstrax.state');
  const state = set === undefined ? rewritten?.state : set.v;
  return {
    kind: 'update',
    id,
    number: null,
    touched: touched.map(({ k }) => k),
    ...(state === undefined ? {} : { state }),
  };
}

export function watchRuns(collection: () => Collection, caller: Caller): RunStore['watch'] {
  return (onHint, signal) =>
    follow({
      collection,
      caller,
      pipeline: RUN_WATCH_PIPELINE,
      onEvent: (event: ChangeStreamDocument) => {
        const hint = hintOf(event);
        if (hint !== null) onHint(hint);
      },
      onGap: () => onHint(null),
      signal,
    });
}
