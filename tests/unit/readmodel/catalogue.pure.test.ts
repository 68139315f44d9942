import { describe, expect, it } from 'vitest';

import { Catalogue } from '../../../src/readmodel/catalogue.pure.ts';
import type { RunRow } from '../../../src/readmodel/run-row.pure.ts';

function row(run: number | null, fields: Partial<RunRow> = {}): RunRow {
  return {
    ...{ id: `id${run}`, run, condition: 'done', mode: 'radon', detectors: ['tpc'] },
    ...{ host: 'eb0', tags: [] },
    ...fields,
  } as RunRow;
}

const catalogueOf = (...rows: RunRow[]): Catalogue => {
  const catalogue = new Catalogue();
  for (const each of rows) catalogue.put(each);
  return catalogue;
};

describe('the catalogue of runs', () => {
  it('finds pages, newest first, and counts what fits on all of them', () => {
    const catalogue = catalogueOf(...[3, 1, 5, 2, 4].map((run) => row(run)));
    expect(catalogue.find({}, 2, null)).toEqual({ runs: [5, 4], total: 5, before: 4 });
    expect(catalogue.find({}, 2, 4)).toEqual({ runs: [3, 2], total: 5, before: 2 });
    expect(catalogue.find({}, 2, 2)).toEqual({ runs: [1], total: 5, before: null });
    expect(catalogue.find({ mode: 'other' }, 2, null)).toEqual({
      runs: [],
      total: 0,
      before: null,
    });
  });

  it.each([
    [{ condition: 'debt' }, [2]],
    [{ mode: 'led' }, [3]],
    [{ detector: 'muon_veto' }, [4]],
    [{ host: 'eb1' }, [5]],
    [{ tag: 'bad' }, [6]],
    [{ from: 5 }, [6, 5]],
    [{ to: 2 }, [2, 1]],
    [{ from: 2, to: 4, mode: 'radon' }, [4, 2]],
  ] as const)('knows what fits %j', (query, runs) => {
    const catalogue = catalogueOf(
      row(1),
      row(2, { condition: 'debt' }),
      row(3, { mode: 'led' }),
      row(4, { detectors: ['tpc', 'muon_veto'] }),
      row(5, { host: 'eb1' }),
      row(6, { tags: ['good', 'bad'] }),
    );
    expect(catalogue.find(query, 10, null)).toEqual({ runs, total: runs.length, before: null });
  });

  it('follows changes, whatever they do to the order', () => {
    const catalogue = catalogueOf(row(1), row(2), row(3));
    expect(catalogue.find({ condition: 'done' }, 10, null).runs).toEqual([3, 2, 1]);
    catalogue.put(row(2, { condition: 'failed' as never }));
    expect(catalogue.find({ condition: 'done' }, 10, null).runs).toEqual([3, 1]);
    catalogue.put(row(9, { id: 'id1' }));
    expect(catalogue.find({ condition: 'done' }, 10, null).runs).toEqual([9, 3]);
    catalogue.remove('id3');
    expect(catalogue.find({}, 10, null)).toEqual({ runs: [9, 2], total: 2, before: null });
    catalogue.put(row(null, { id: 'id1' }));
    expect(catalogue.find({}, 10, null).runs).toEqual([2]);
  });

  it('keeps documents of the same number together, and apart', () => {
    const catalogue = catalogueOf(row(1), row(2), row(2, { id: 'twin' }), row(3));
    expect(catalogue.find({}, 2, null)).toEqual({ runs: [3, 2], total: 4, before: 2 });
    expect(catalogue.find({}, 2, 2)).toEqual({ runs: [1], total: 4, before: null });
    catalogue.put(row(2, { id: 'twin', condition: 'debt' }));
    expect(catalogue.find({ condition: 'debt' }, 2, null).total).toBe(1);
    catalogue.remove('twin');
    expect(catalogue.find({}, 9, null)).toEqual({ runs: [3, 2, 1], total: 3, before: null });
  });

  it('forgets what a look at its numbers has not found', () => {
    const catalogue = catalogueOf(...[1, 2, 3, 4, 5].map((run) => row(run)));
    catalogue.keepOnly(2, 4, new Set(['id3']));
    expect(catalogue.find({}, 9, null).runs).toEqual([5, 3, 1]);
  });

  it('says which runs may change at any moment', () => {
    const catalogue = catalogueOf(
      row(1, { condition: 'busy' }),
      row(2),
      row(3, { condition: 'new' }),
      row(4, { condition: 'retrying' }),
    );
    expect(catalogue.unsettled(2)).toEqual([4, 3]);
  });
});
