import type { Document } from 'mongodb';

import type { Collection } from '../infra/mongo/collection.ts';
import { idText } from './document-id.ts';
import type { RunListQuery, RunPage } from './run.port.ts';
import { readRun } from './run.pure.ts';
import type { RunDocument } from './run-document.port.ts';
import { RUN_PROJECTION } from './run-filters.ts';
import { storedRuns } from './stored-runs.ts';

type Readable = Pick<Collection, 'find'>;

const FIRST_WINDOW = { least: 20, most: 200 };
/** With an index on the state a wide window is cheap; else each document in it is read. */
const LARGEST_WINDOW = { selective: 10_000, reading: 500 };
/** Width of the windows for one page, in run numbers, when no selective index helps. */
const NUMBERS_PER_PAGE = 2_000;

const LOOK_BACK_HOURS = [1, 6, 36, 216];
/** Width of one probe for the highest run number, in run numbers. */
const PROBE = 16;
const LARGEST_EXPONENT = 30;

/**
 * Lists runs by windows of run numbers, which grow while runs are sparse. On every server no query
 * sorts or scans more than its window. `also`: further conditions.
 */
export async function listRuns(
  runs: Readable,
  query: RunListQuery,
  highest: number,
  also: Document = {},
): Promise<RunPage> {
  const filter: Document = {
    ...(query.state === undefined ? {} : { 'bootstrax.state': query.state }),
    ...(query.mode === undefined ? {} : { mode: query.mode }),
    ...also,
  };
  const selective =
    query.state !== undefined && query.state !== 'done' && Object.keys(also).length === 0;
  const bottom = Math.max(0, query.from ?? 0);
  let top = Math.min(highest, query.to ?? highest, (query.before ?? Infinity) - 1);
  const end = selective ? bottom : Math.max(bottom, top - NUMBERS_PER_PAGE + 1);
  const found: RunDocument[] = [];
  const widest = selective ? LARGEST_WINDOW.selective : LARGEST_WINDOW.reading;
  let width = Math.min(Math.max(query.limit, FIRST_WINDOW.least), FIRST_WINDOW.most);
  for (; top >= end; width = Math.min(width * 2, widest)) {
    const low = Math.max(end, top - width + 1);
    const wanted = query.limit - found.length;
    const page = storedRuns(
      await runs.find(
        // In this order: some servers take the first field for which there is an index.
        { number: { $gte: low, $lte: top }, ...filter },
        { projection: RUN_PROJECTION, sort: { number: -1 }, limit: wanted },
      ),
    );
    found.push(...page);
    if (page.length === wanted) {
      const last = Number(readRun(found.at(-1)).ownership.number);
      found.push(...(await restOf(runs, last, filter, found)));
      return { runs: found, before: last > bottom ? last : null };
    }
    top = low - 1;
  }
  return { runs: found, before: end > bottom ? end : null };
}

/** Merges pages of one list that was read in parts; a run may be on several of them. */
export function onePage(pages: readonly RunPage[], limit: number): RunPage {
  const [first] = pages;
  if (first !== undefined && pages.length === 1) return first;
  const numberOf = (document: RunDocument) => Number(readRun(document).ownership.number);
  // Below the end of a page its runs are not known.
  const seenTo = Math.max(0, ...pages.map(({ before }) => before ?? 0));
  const byId = new Map(
    pages.flatMap(({ runs }) => runs).map((document) => [idText(document._id), document]),
  );
  const found = [...byId.values()]
    .filter((document) => numberOf(document) >= seenTo)
    .sort((a, b) => numberOf(b) - numberOf(a));
  const last = found[limit - 1];
  if (last === undefined || found.length === limit) {
    const isEnd = pages.every(({ before }) => before === null);
    return { runs: found, before: isEnd ? null : seenTo };
  }
  const end = numberOf(last);
  return { runs: found.filter((document) => numberOf(document) >= end), before: end };
}

/** Documents with one number stay on one page: the next page begins below that number. */
async function restOf(
  runs: Readable,
  number: number,
  filter: Document,
  found: readonly RunDocument[],
): Promise<RunDocument[]> {
  const all = storedRuns(await runs.find({ number, ...filter }, { projection: RUN_PROJECTION }));
  const known = new Set(found.map(({ _id }) => idText(_id)));
  return all.filter(({ _id }) => !known.has(idText(_id)));
}

/**
 * The highest run number, or -1 without runs. Some servers read all documents to find the last entry of
 * an index. So this searches the runs that started lately; without any, it assumes that numbers are
 * mostly consecutive and searches for their end. The last query corrects both.
 */
export async function highestNumber(
  runs: Readable,
  known: number | null,
  now: Date,
): Promise<number> {
  const below = known ?? (await recentNumber(runs, now)) ?? (await endOfNumbers(runs));
  return (await largest(runs, { number: { $gt: below } })) ?? below;
}

/** The highest number among runs that started lately; null if there are none. */
async function recentNumber(runs: Readable, now: Date): Promise<number | null> {
  for (const hours of LOOK_BACK_HOURS) {
    const since = new Date(now.getTime() - hours * 3_600_000);
    // Not sorted by number: some servers are very slow to compare odd values in that field.
    const recent = await runNumbers(runs, { start: { $gte: since } }, { start: -1 });
    if (recent.length > 0) return Math.max(...recent);
  }
  return null;
}

/** A number close to the highest one, if there are no large gaps; -1 without runs. */
async function endOfNumbers(runs: Readable): Promise<number> {
  const inUse = async (from: number): Promise<boolean> =>
    (await largest(runs, { number: { $gte: from, $lt: from + PROBE } })) !== null;
  let low = -1;
  for (let exponent = LARGEST_EXPONENT; exponent >= 0 && low < 0; exponent--) {
    for (const probe of [1.5 * 2 ** exponent, 2 ** exponent]) {
      if (low < 0 && (await inUse(probe))) low = probe;
    }
  }
  for (let high = low * 2; high - low > PROBE;) {
    const middle = Math.floor((low + high) / 2);
    if (await inUse(middle)) low = middle;
    else high = middle;
  }
  return low < 0 ? -1 : low - 1;
}

async function largest(runs: Readable, filter: Document): Promise<number | null> {
  const numbers = await runNumbers(runs, filter, { number: -1 });
  return numbers.length === 0 ? null : Math.max(...numbers);
}

/** Numbers of the first of these documents; values that are no run number are left out. */
async function runNumbers(
  runs: Readable,
  filter: Document,
  sort: Record<string, 1 | -1>,
): Promise<number[]> {
  const first = await runs.find(filter, { projection: { number: 1 }, sort, limit: 10 });
  return first
    .map((document) => readRun(document).ownership.number)
    .filter((number): number is number => Number.isSafeInteger(number));
}
