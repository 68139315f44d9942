import type { Document } from 'mongodb';

import type { Collection } from '../infra/mongo/collection.ts';
import { idText } from '../run/document-id.ts';
import { readRun } from '../run/run.pure.ts';
import type { RunDocument } from '../run/run-document.port.ts';
import { without } from '../run/run-filters.ts';
import { storedRuns } from '../run/stored-runs.ts';

/**
 * The index range of all dates: other types, and no date, lie outside. Some servers know no year before
 * the first.
 */
export const ANY_DATE = { $gte: new Date('0001-01-01T00:00:00Z') };
const FAILED = { 'bootstrax.state': 'failed' };
const COUNT = 'bootstrax.n_failures';
const RETRY = 'bootstrax.next_retry';

export interface RetriesAsked {
  /** Number of failures with which a run is given up. */
  giveUpAfter: number;
  /** Only runs that are due before this time; absent: all runs to be retried. */
  before?: Date;
  withoutTags?: readonly string[];
  /** Also runs whose count of failures is no number, which needs a read of all that are due or given up. */
  withOddCounts: boolean;
}

export interface Order {
  by: 'start' | 'next_retry';
  direction: 1 | -1;
}

/**
 * Failed runs that are to be retried, one pipeline for each kind of count. The first stage alone is a
 * range of an index, since some servers use an index for that stage only. So the runs that were given
 * up, whose number only grows, are not read. A missing count is 0.
 */
export function retryPipelines(asked: RetriesAsked): Document[][] {
  const due = asked.before === undefined ? ANY_DATE : { ...ANY_DATE, $lt: asked.before };
  const counted = { $gte: -Infinity, $lt: asked.giveUpAfter };
  const rest = {
    [RETRY]: due,
    [COUNT]: { $not: { $gte: asked.giveUpAfter } },
    ...without(asked.withoutTags ?? []),
  };
  const pipelines = [
    [{ $match: { ...FAILED, [COUNT]: null, [RETRY]: due } }, { $match: rest }],
    [{ $match: { ...FAILED, [COUNT]: counted } }, { $match: rest }],
  ];
  if (!asked.withOddCounts) return pipelines;
  const isOdd = { $nor: [{ [COUNT]: null }, { [COUNT]: counted }] };
  return [
    ...pipelines,
    [{ $match: { ...FAILED, [RETRY]: due } }, { $match: { ...rest, ...isOdd } }],
  ];
}

/** A page of the runs to be retried. */
export async function readRetries(
  runs: Collection,
  asked: RetriesAsked,
  page: { order: Order; limit: number; skip?: number; projection: Document },
): Promise<RunDocument[]> {
  const { order, limit, skip = 0, projection } = page;
  const field = order.by === 'start' ? 'start' : RETRY;
  const found = await Promise.all(
    retryPipelines(asked).map((stages) =>
      runs.aggregate([
        ...stages,
        { $sort: { [field]: order.direction } },
        { $limit: skip + limit },
        { $project: projection },
      ]),
    ),
  );
  const byId = new Map(storedRuns(found.flat()).map((each) => [idText(each._id), each]));
  return [...byId.values()]
    .map((document) => ({ document, key: keyOf(document, order) }))
    .sort((a, b) => order.direction * (a.key - b.key))
    .slice(skip, skip + limit)
    .map(({ document }) => document);
}

function keyOf(document: RunDocument, { by }: Order): number {
  const { start, bootstrax } = readRun(document);
  const date = by === 'start' ? start : bootstrax.nextRetry;
  return date?.getTime() ?? -Number.MAX_VALUE;
}
