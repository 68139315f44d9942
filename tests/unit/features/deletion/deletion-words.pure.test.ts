import { expect, test } from 'vitest';

import {
  deletionInWords,
  type DeletionStory,
} from '../../../../src/features/deletion/deletion-words.pure.ts';

const STORY: DeletionStory = {
  ...{ host: 'eb1', state: 'checking', problem: null, cause: null, ended: null },
  ...{ vouchedBy: [{ type: 'raw_records' }, { type: 'raw_records_nv' }], bytesFreed: null },
};

test.each<[Partial<DeletionStory>, string]>([
  [{}, 'Live data: eb1 checks the products that replace it.'],
  [
    { state: 'deleting', problem: 'the disk is read-only' },
    'Live data: eb1 is deleting it; it waits: the disk is read-only.',
  ],
  [
    { state: 'refused', cause: 'raw_records is gone' },
    'Live data: it stays, because eb1 refused to delete it: raw_records is gone.',
  ],
  [
    { state: 'done', ended: new Date('2026-03-01T10:00:00Z'), bytesFreed: 2.5e9 },
    'Live data: deleted by eb1 at 2026-03-01 10:00:00 UTC, 2.50 GB; raw_records, raw_records_nv replace it.',
  ],
])('a deletion is told in one sentence: %o', (some, sentence) => {
  expect(deletionInWords({ ...STORY, ...some })).toBe(sentence);
});
