import type { Collection } from '../../infra/mongo/collection.ts';
import { literal } from '../../infra/mongo/expressions.ts';
import { adoptUpdate } from '../../run/adoption-updates.ts';
import { readRun } from '../../run/run.pure.ts';
import type { RunDocument } from '../../run/run-document.port.ts';
import { highestNumber } from '../../run/run-list.store.ts';
import { storedRuns } from '../../run/stored-runs.ts';
import type { AdoptionStore } from './adoption.port.ts';

/** Run numbers in one query. */
const WINDOW = 2000;
const UNFINISHED_DELETIONS = ['checking', 'deleting'];

/** For a command: it reads the whole history, window by window. */
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
        const projection = { 'data.host': 1, 'bootstrax.host': 1 };
        const found = storedRuns(await runs.find(range, { projection }));
        for (const { _id } of found.filter((document) => names(document, from))) {
          const byId = { _id };
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

function names(document: RunDocument, host: string): boolean {
  const { bootstrax, data } = readRun(document);
  return bootstrax.host === host || data.some((entry) => entry.host === host);
}
