import type { Document } from 'mongodb';

import type { Collection } from './collection.ts';
import { RUN_PROJECTION } from './run-filters.ts';
import type { RunDocument, RunListQuery, RunPage } from './types.ts';

const FIRST_WINDOW = 200;
const LARGEST_WINDOW = 10_000;
/** Numbers looked at for one page when no selective index helps. */
const NUMBERS_PER_PAGE = 20_000;

/** The last hour, six hours, ... about eight years. */
const LOOK_BACK_HOURS = [1, 6, 36, 216, 1296, 7776, 70_000];

/**
 * Lists runs by windows of run numbers, growing while they are sparse: no query sorts or scans more
 * than its window, on any server.
 */
export async function listRuns(
  runs: Collection,
  query: RunListQuery,
  highest: number,
): Promise<RunPage> {
  const filter: Document = {
    ...(query.state === undefined ? {} : { 'bootstrax.state': query.state }),
    ...(query.mode === undefined ? {} : { mode: query.mode }),
  };
  const selective = query.state !== undefined && query.state !== 'done';
  const bottom = Math.max(0, query.from ?? 0);
  let top = Math.min(highest, query.to ?? highest, (query.before ?? Infinity) - 1);
  const end = selective ? bottom : Math.max(bottom, top - NUMBERS_PER_PAGE + 1);
  const found: RunDocument[] = [];
  for (let width = FIRST_WINDOW; top >= end; width = Math.min(width * 2, LARGEST_WINDOW)) {
    const low = Math.max(end, top - width + 1);
    const wanted = query.limit - found.length;
    const page = (await runs.find(
      { ...filter, number: { $gte: low, $lte: top } },
      { projection: RUN_PROJECTION, sort: { number: -1 }, limit: wanted },
    )) as RunDocument[];
    found.push(...page);
    if (page.length === wanted) {
      const last = Number(found.at(-1)?.number);
      return { runs: found, before: last > bottom ? last : null };
    }
    top = low - 1;
  }
  return { runs: found, before: end > bottom ? end : null };
}

/**
 * The highest run number, or -1 without runs. Looks among the runs started lately, further and
 * further back, since not every server can take the last entry of an index without reading all.
 */
export async function highestNumber(
  runs: Collection,
  known: number | null,
  now: Date,
): Promise<number> {
  if (known !== null) {
    const newer = await largest(runs, { number: { $gt: known } });
    return newer ?? known;
  }
  for (const hours of LOOK_BACK_HOURS) {
    const since = new Date(now.getTime() - hours * 3_600_000);
    const recent = await largest(runs, { start: { $gte: since } });
    if (recent !== null) return recent;
  }
  return (await largest(runs, { number: { $gte: 0 } })) ?? -1;
}

async function largest(runs: Collection, filter: Document): Promise<number | null> {
  // Numbers of another type sort above all numbers: look past a few of them.
  const top = await runs.find(filter, {
    projection: { number: 1 },
    sort: { number: -1 },
    limit: 10,
  });
  const numbers = top
    .map((document) => document.number as unknown)
    .filter((number): number is number => typeof number === 'number' && Number.isFinite(number));
  return numbers.length === 0 ? null : Math.max(...numbers);
}
