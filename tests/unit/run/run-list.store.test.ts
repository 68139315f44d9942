import type { Document } from 'mongodb';
import { expect, test } from 'vitest';

import type { Collection } from '../../../src/infra/mongo/collection.ts';
import { highestNumber, listRuns } from '../../../src/run/run-list.store.ts';

const NOW = new Date('2026-03-01T12:00:00Z');
const MOST_READS = 500;

/** Answers each look for the highest number with these, and each page with nothing. */
function withNumbers(numbers: readonly number[]): Pick<Collection, 'find'> {
  let reads = 0;
  return {
    find: (_filter: Document, options = {}) => {
      if (++reads > MOST_READS) return Promise.reject(new Error(`more than ${MOST_READS} reads`));
      const isProbe = options.limit === 10;
      return Promise.resolve(isProbe ? numbers.map((number) => ({ number })) : []);
    },
  };
}

test.each([2 ** 53, Number('9223372036854775807'), 1e300, 1003.5])(
  'a number that no run can have, %d, is not the highest, and the list comes to an end',
  async (odd) => {
    const runs = withNumbers([odd, 1003]);
    const highest = await highestNumber(runs, null, NOW);
    expect(highest).toBe(1003);
    const page = await listRuns(runs, { limit: 1000 }, highest);
    expect(page).toEqual({ runs: [], before: null });
  },
);
