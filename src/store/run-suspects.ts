import type { Document } from 'mongodb';

import { RUN_STATES } from '../domain/run.ts';
import type { Collection } from './collection.ts';
import { idText } from './document-id.ts';
import { RUN_PROJECTION } from './run-filters.ts';
import { listRuns } from './run-list.ts';
import type { RunDocument, SuspectsQuery } from './types.ts';

/** Of each kind. */
const LIMIT = 1000;

/**
 * Where a malformed document can hide, each a range of an index: what a manager has set aside, what
 * nobody has taken yet, what no manager looks at because its state or its number is none.
 */
const HIDING_PLACES: readonly Document[] = [
  {
    'bootstrax.state': 'failed',
    'bootstrax.next_retry': null,
    'bootstrax.outcome': 'set_aside',
  },
  { 'bootstrax.state': null },
  { 'bootstrax.state': { $nin: [null, ...RUN_STATES] } },
  { number: { $not: { $gte: 0 } } },
];

/**
 * Documents that may be malformed: those above, and all with the numbers of the query, or the newest
 * ones. Ordered by number, highest first. `highest`: the highest run number.
 */
export async function suspects(
  runs: Collection,
  query: SuspectsQuery,
  highest: number,
): Promise<RunDocument[]> {
  const range = {
    ...(query.from === undefined ? {} : { $gte: query.from }),
    ...(query.to === undefined ? {} : { $lte: query.to }),
  };
  const isBounded = query.from !== undefined || query.to !== undefined;
  const [listed, ...hidden] = await Promise.all([
    newest(runs, query, highest),
    ...HIDING_PLACES.map(
      (filter) =>
        runs.find(isBounded ? { $and: [filter, { number: range }] } : filter, {
          projection: RUN_PROJECTION,
          limit: LIMIT,
        }) as Promise<RunDocument[]>,
    ),
  ]);
  const byId = new Map(
    [...listed, ...hidden.flat()].map((document) => [idText(document._id), document]),
  );
  return [...byId.values()].sort((a, b) => orderOf(b) - orderOf(a));
}

async function newest(
  runs: Collection,
  { from, to, numbers }: SuspectsQuery,
  highest: number,
): Promise<RunDocument[]> {
  const found: RunDocument[] = [];
  const top = Math.min(highest, to ?? highest);
  const bottom = Math.max(0, from ?? top - numbers + 1);
  for (let before: number | null = top + 1; before !== null && before > bottom;) {
    const page = await listRuns(runs, { limit: LIMIT, from: bottom, before }, highest);
    found.push(...page.runs);
    before = page.before;
  }
  return found;
}

function orderOf({ number }: RunDocument): number {
  return typeof number === 'number' && Number.isFinite(number) ? number : -Infinity;
}
