import type { Document } from 'mongodb';

import type { Collection } from '../infra/mongo/collection.ts';
import { idText } from '../run/document-id.ts';
import { without } from '../run/run-filters.ts';
import { readRun } from '../run/run.pure.ts';
import type { RunDocument } from '../run/run-document.port.ts';
import { storedRuns } from '../run/stored-runs.ts';

/**
 * Other types than dates, and no date, lie outside of this range of an index. There are servers that know
 * of no year before the first.
 */
export const ANY_DATE = { $gte: new Date('0001-01-01T00:00:00Z') };
const FAILED = { 'bootstrax.state': 'failed' };
const COUNT = 'bootstrax.n_failures';
const RETRY = 'bootstrax.next_retry';

export interface RetriesAsked {
  /** Runs with so many failures are given up. */
  giveUpAfter: number;
  /** Only those that are due before; absent: all that are to be retried. */
  before?: Date;
  withoutTags?: readonly string[];
  /** Those too whose count of failures is no number: a read of all that are due or given up. */
  withOddCounts: boolean;
}

export interface Order {
  by: 'start' | 'next_retry';
  direction: 1 | -1;
}

/**
 * Failed runs that are to be retried, for each kind of count a pipeline. Its first stage alone is a
 * range of an index, on servers that look for one in that stage only: of the runs that were given up,
 * which only become more, it reads none. A missing count is 0.
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

/** A page of them. */
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
