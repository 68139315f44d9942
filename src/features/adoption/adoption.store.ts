import type { Document } from 'mongodb';

import type { Collection } from '../../infra/mongo/collection.ts';
import { literal } from '../../infra/mongo/expressions.ts';
import { highestNumber } from '../../run/run-list.store.ts';
import type { AdoptionStore } from './adoption.port.ts';

/** Run numbers looked at by one query. */
const WINDOW = 2000;
const UNFINISHED_DELETIONS = ['checking', 'deleting'];

/** Entries and holder of one run; anything of another host stays. */
export function adoptUpdate(from: string, to: string): Document[] {
  const renamed = (object: string): Document => ({
    $cond: [
      { $eq: [`${object}.host`, literal(from)] },
      { $mergeObjects: [object, { host: literal(to) }] },
      object,
    ],
  });
  return [
    {
      $set: {
        bootstrax: renamed('$bootstrax'),
        data: {
          $cond: [
            { $isArray: '$data' },
            { $map: { input: '$data', as: 'entry', in: renamed('$$entry') } },
            '$data',
          ],
        },
      },
    },
  ];
}

/** For a person at the command line: it looks through the whole history, window by window. */
export function createAdoptionStore(parts: {
  runs: Collection;
  attempts: Collection;
  deletions: Collection;
  serverTime: () => Promise<Date>;
}): AdoptionStore {
  const { runs, attempts, deletions, serverTime } = parts;
  return {
    move: async (from, to) => {
      const update = adoptUpdate(from, to);
      let moved = 0;
      let top = await highestNumber(runs, null, await serverTime());
      for (; top >= 0; top -= WINDOW) {
        const range = { number: { $gt: top - WINDOW, $lte: top } };
        const found = await runs.find(range, {
          projection: { 'data.host': 1, 'bootstrax.host': 1 },
        });
        for (const run of found.filter((document) => names(document, from))) {
          const byId = { _id: run._id as unknown };
          moved += await runs.repeatUpdateOne('runs.adopt', byId, update);
        }
      }
      const renamed = [{ $set: { host: literal(to) } }];
      await attempts.repeatUpdateAll('attempts.adopt', { host: from }, renamed);
      const unfinished = { state: { $in: UNFINISHED_DELETIONS }, host: from };
      await deletions.repeatUpdateAll('deletions.adopt', unfinished, renamed);
      return moved;
    },
  };
}

function names({ data, bootstrax }: Document, host: string): boolean {
  const isIts = (value: unknown) => (value as { host?: unknown } | null)?.host === host;
  return isIts(bootstrax) || (Array.isArray(data) && data.some(isIts));
}
