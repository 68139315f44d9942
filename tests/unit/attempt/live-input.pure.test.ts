import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { type Input, inputSchema } from '../../../src/attempt/attempt.pure.ts';
import {
  incompleteInWords,
  incompleteOf,
  inputInWords,
  inputNotices,
  inputSummary,
  lacksData,
  standsForAll,
} from '../../../src/attempt/live-input.pure.ts';
import { readRun } from '../../../src/run/run.pure.ts';

const incompleteIn = (bootstrax: unknown) => readRun({ bootstrax }).own.incomplete;

const WHOLE: Input = {
  accounted: true,
  chunks: 3,
  files: 30,
  bytes: 1000,
  rows: 50,
  missing: [],
  missingCount: 0,
  unreadable: [],
  unreadableCount: 0,
  unread: [],
  unreadCount: 0,
  quiet: [],
};
const CUT = {
  chunk: '000001',
  reader: 'reader0',
  file: 'reader0_140',
  bytes: 5184,
  rows: 12,
  problem: 'cut',
};
const cut = (count = 1): Input => ({
  ...WHOLE,
  unreadable: Array.from({ length: Math.min(count, 50) }, () => CUT),
  unreadableCount: count,
});
const missing = (count = 1): Input => ({
  ...WHOLE,
  missing: Array.from({ length: Math.min(count, 50) }, (_, i) => ({
    chunk: `${i}`.padStart(6, '0'),
    reader: 'reader1',
    files: 2,
  })),
  missingCount: count,
});
const behind: Input = {
  ...WHOLE,
  unread: [{ chunk: '000007', bytes: 77 }],
  unreadCount: 1,
};

describe('what an attempt has read of the live data', () => {
  it('lacks nothing where all is there', () => {
    expect(incompleteOf(WHOLE)).toBeNull();
    expect(incompleteOf(null)).toBeNull();
    expect(inputNotices(7, WHOLE)).toEqual([]);
    expect(standsForAll(WHOLE)).toEqual({ ok: true });
  });

  it('names reader, chunk and bytes of what could not be read, as an error', () => {
    const [notice, ...others] = inputNotices(7, cut());
    expect(others).toEqual([]);
    expect(notice).toEqual({
      priority: 'error',
      message:
        'run 7: Incomplete: live data that could not be read was left out: chunk 000001 of reader0 ' +
        '(5184 bytes, 12 rows read of it; reader0_140: cut). Its live data is not deleted',
    });
  });

  it('names reader and chunk of what is missing, as a warning', () => {
    expect(inputNotices(7, missing(2))).toEqual([
      {
        priority: 'warning',
        message:
          'run 7: Live data of a reader is missing: chunk 000000 of reader1; chunk 000001 of reader1. ' +
          'Its live data is not deleted',
      },
    ]);
  });

  it('names readers of which all threads are quiet, and takes nothing for missing', () => {
    const quiet = { ...WHOLE, quiet: [{ reader: 'reader2', chunks: 2, first: '000004' }] };
    expect(inputNotices(7, quiet)).toEqual([
      {
        priority: 'warning',
        message:
          'run 7: Readers that wrote nothing while others did: reader2 (2 chunks, the first 000004).',
      },
    ]);
    expect(standsForAll(quiet)).toEqual({ ok: true });
  });

  it.each<[what: string, input: Input | null | undefined, handedOn: boolean]>([
    ['could not be read', cut(), false],
    ['lies behind a missing chunk', behind, false],
    ['was never written by a reader', missing(), true],
    ['a reader of its own does not account for', { ...WHOLE, accounted: false }, true],
    ['nobody has accounted for', null, true],
    ['an earlier release has read', undefined, true],
  ])('never lets live data go of which something %s', (_, input, handedOn) => {
    expect(standsForAll(input)).toMatchObject({ ok: false });
    const incomplete = incompleteOf(input);
    expect(incomplete === null || !lacksData(incomplete)).toBe(handedOn);
  });

  it('stays small, however much is wrong', () => {
    const huge: Input = {
      ...missing(180_000),
      unreadable: cut(50).unreadable,
      unreadableCount: 9e4,
    };
    const incomplete = incompleteOf(huge);
    expect(incomplete?.parts.length).toBeLessThanOrEqual(20);
    expect(incomplete).toMatchObject({ missing: 180_000, unreadable: 90_000 });
    for (const { message } of inputNotices(7, huge)) expect(message.length).toBeLessThan(5000);
    expect(JSON.stringify(inputSummary(huge)).length).toBeLessThan(20_000);
    expect(incompleteInWords(incomplete!).join(' ')).toContain('and 89995 more');
  });

  it('is read from the run document as it was written, and anything else is no statement', () => {
    const incomplete = incompleteOf(cut())!;
    expect(incompleteIn({ incomplete })).toEqual(incomplete);
    fc.assert(
      fc.property(fc.anything(), (said) => {
        const read = incompleteIn({ incomplete: said });
        if (read !== null) incompleteInWords(read);
      }),
    );
    expect(incompleteIn(null)).toBeNull();
  });

  it('says of an attempt what was read, and whether anybody counted', () => {
    expect(inputInWords(inputSummary({ ...cut(), accounted: false }))).toEqual([
      'Read 3 chunks of live data: 30 files, 1000 bytes, 50 rows.',
      'Input not accounted: a reader of the context does not say what it reads.',
      expect.stringContaining('chunk 000001 of reader0'),
    ]);
    expect(inputInWords(undefined)).toEqual([]);
  });

  it('follows the protocol', () => {
    for (const input of [WHOLE, cut(3), missing(), behind]) {
      expect(inputSchema.safeParse(input).success).toBe(true);
    }
  });
});
