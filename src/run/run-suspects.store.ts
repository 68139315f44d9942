import type { Document } from 'mongodb';

import type { Collection } from '../infra/mongo/collection.ts';
import { idText } from './document-id.ts';
import type { SuspectsQuery } from './run.port.ts';
import { readRun, RUN_STATES } from './run.pure.ts';
import type { RunDocument } from './run-document.port.ts';
import { RUN_PROJECTION, UNSETTLED_STATES } from './run-filters.ts';
import { listRuns } from './run-list.store.ts';
import { storedRuns } from './stored-runs.ts';

/** Largest number of documents of each kind. */
const LIMIT = 1000;

/**
 * Where a malformed document can be, each a range of an index: runs set aside by a manager, new runs,
 * runs in work, runs with an unknown state, which no manager reads, and runs whose number or start is
 * of another type, so that no range finds them.
 */
const HIDING_PLACES: readonly Document[] = [
  {
    'bootstrax.state': 'failed',
    'bootstrax.next_retry': null,
    'bootstrax.outcome': 'set_aside',
  },
  { 'bootstrax.state': null },
  { 'bootstrax.state': { $nin: [null, ...RUN_STATES] } },
  { 'bootstrax.state': { $in: [...UNSETTLED_STATES] } },
  { number: { $not: { $gte: 0 } } },
  { start: { $not: { $gte: new Date(0) } } },
];

/** One wrong, huge number must not hide the others: recent runs are found by their start. */
const RECENT = { days: 30, most: 5000 };

/**
 * Documents that may be malformed: those above, and those with the numbers of the query, or the newest
 * by number and by start. Ordered by number, highest first. `highest`: the highest run number.
 */
export async function suspects(
  runs: Collection,
  query: SuspectsQuery,
  highest: number,
  now: Date,
): Promise<RunDocument[]> {
  const range = {
    ...(query.from === undefined ? {} : { $gte: query.from }),
    ...(query.to === undefined ? {} : { $lte: query.to }),
  };
  const isBounded = query.from !== undefined || query.to !== undefined;
  const since = new Date(now.getTime() - RECENT.days * 86_400_000);
  // In this order: some servers take the first field for which there is an index.
  const find = async (filter: Document, limit: number) =>
    storedRuns(
      await runs.find(
        { ...(isBounded ? { number: range } : {}), ...filter },
        { projection: RUN_PROJECTION, limit },
      ),
    );
  // A document without a valid number is in no range of numbers.
  const places = HIDING_PLACES.filter(({ number }) => !isBounded || number === undefined);
  const [listed, ...hidden] = await Promise.all([
    newest(runs, query, highest),
    find({ start: { $gte: since } }, RECENT.most),
    ...places.map((filter) => find(filter, LIMIT)),
  ]);
  const byId = new Map(
    [...listed, ...hidden.flat()].map((document) => [idText(document._id), document]),
  );
  return [...byId.values()]
    .map((document) => ({ document, order: orderOf(document) }))
    .sort((a, b) => b.order - a.order)
    .map(({ document }) => document);
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

function orderOf(document: RunDocument): number {
  const { number } = readRun(document).ownership;
  return typeof number === 'number' && Number.isFinite(number) ? number : -Infinity;
}
