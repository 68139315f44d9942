import type { Collection } from '../infra/mongo/collection.ts';
import type { QueueCounts } from '../run/run.port.ts';
import { readRun } from '../run/run.pure.ts';
import { unsettledFilter } from '../run/run-filters.ts';
import { HOLD_TAG } from '../run/run-tags.pure.ts';
import { readRetries } from './due-retries.store.ts';

/** Counting stops here; the count is then shown as "at least". */
export const QUEUE_COUNT_LIMIT = 1000;

export async function countQueue(
  runs: Collection,
  now: Date,
  giveUpAfter: number,
): Promise<QueueCounts> {
  const limit = QUEUE_COUNT_LIMIT;
  const [fresh, unsettled, waiting] = await Promise.all([
    runs.find({ 'bootstrax.state': null }, { projection: { tags: 1 }, limit }),
    runs.find(unsettledFilter(), { projection: { 'bootstrax.state': 1 }, limit }),
    readRetries(
      runs,
      { giveUpAfter, withOddCounts: true },
      {
        order: { by: 'next_retry', direction: 1 },
        ...{ limit, projection: { 'bootstrax.next_retry': 1 } },
      },
    ),
  ]);
  const states = unsettled.map((document) => readRun(document).bootstrax.state);
  const due = waiting.filter((document) => {
    const { nextRetry } = readRun(document).bootstrax;
    return nextRetry !== null && nextRetry < now;
  });
  const held = fresh.filter((document) => readRun(document).tags.includes(HOLD_TAG)).length;
  return {
    new: fresh.length - held,
    held,
    considering: states.filter((state) => state === 'considering').length,
    busy: states.filter((state) => state === 'busy').length,
    waiting: waiting.length,
    due: due.length,
  };
}
