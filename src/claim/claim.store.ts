import type { Collection } from '../infra/mongo/collection.ts';
import { compareAndSet } from '../infra/mongo/compare-and-set.ts';
import { readRun } from '../run/run.pure.ts';
import { newCandidatesFilter, RUN_PROJECTION, seenFilter } from '../run/run-filters.ts';
import { claimUpdate } from '../run/run-updates.ts';
import { storedRuns } from '../run/stored-runs.ts';
import type { ClaimStore, RetriesQuery } from './claim.port.ts';
import { type Order, readRetries } from './due-retries.store.ts';

/** Candidates, and the claim of one of them: a compare-and-set by `_id`. */
export function createClaimStore(runs: Collection): ClaimStore {
  const retries = (query: RetriesQuery & { before: Date }, by: Order['by'], direction: 1 | -1) =>
    readRetries(
      runs,
      { ...query, withOddCounts: query.withOddCounts !== false },
      { ...query, order: { by, direction }, projection: RUN_PROJECTION },
    );
  return {
    newCandidates: async (query) =>
      storedRuns(
        await runs.find(newCandidatesFilter(query), {
          projection: RUN_PROJECTION,
          sort: { start: query.begunBefore === undefined ? -1 : 1 },
          limit: query.limit,
          ...(query.skip ? { skip: query.skip } : {}),
        }),
      ),
    retryDue: ({ now, ...query }) => retries({ ...query, before: now }, 'start', -1),
    overdue: (query) => retries(query, 'next_retry', 1),

    claim: async (seen, owner) => {
      const done = await compareAndSet(runs, {
        write: 'runs.claim',
        id: seen.id,
        expected: seenFilter(seen),
        update: claimUpdate(owner),
        projection: { bootstrax: 1 },
        landed: (document) => {
          const { attempt, host } = readRun(document).bootstrax;
          return attempt === owner.attempt && host === owner.host;
        },
      });
      return done ? 'claimed' : 'lost';
    },
  };
}
