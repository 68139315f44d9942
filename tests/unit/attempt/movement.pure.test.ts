import { describe, expect, it, test } from 'vitest';

import type { Progress } from '../../../src/attempt/attempt.pure.ts';
import {
  awaitedInput,
  type ChunkFiles,
  foldersOfChunk,
  movedOn,
  readerOfFile,
} from '../../../src/attempt/movement.pure.ts';

const PROGRESS: Progress = {
  ...{ t: 10, phase: 'processing', chunks: 2, coveredSeconds: 10, bytes: 100, memoryBytes: 5 },
};
const THREADS = { reader0: 1, reader1: 2 };

/** Every reader has written all its files in these folders, but for `lacks`. */
function files(folders: readonly string[], lacks: Record<string, string[]> = {}): ChunkFiles {
  return new Map(
    folders.map((folder) => [
      folder,
      new Map(Object.entries(THREADS).filter(([reader]) => !lacks[folder]?.includes(reader))),
    ]),
  );
}

describe('the movement of an attempt', () => {
  const first = movedOn(null, PROGRESS);

  test.each([
    ['a chunk was read', { chunks: 3 }],
    ['more of the run was read', { coveredSeconds: 11 }],
    ['something was written', { bytes: 101 }],
    ['it is in another phase', { phase: 'finishing' as const }],
    ['it makes another target', { target: 'peaks' }],
  ])('goes on when %s', (_, change) => {
    expect(movedOn(first, { ...PROGRESS, ...change, t: 20 }).t).toBe(20);
  });

  it('does not go on because memory or time have changed', () => {
    expect(movedOn(first, { ...PROGRESS, t: 99, memoryBytes: 9 })).toBe(first);
  });
});

describe('what an attempt waits for in the live data', () => {
  const whole = foldersOfChunk(1).filter((name) => name !== 'THE_END');

  test.each<[string, number, ChunkFiles, string | null]>([
    ['nothing of the chunk is there', 1, files([]), 'chunk 1 of the DAQ'],
    ['all of it is there', 1, files(whole), null],
    ['a reader lacks it', 1, files(whole, { '000001': ['reader0'] }), 'chunk 1 of reader0'],
    [
      'a reader lacks what follows it',
      1,
      files(whole, { '000001_post': ['reader1'] }),
      'chunk 1 of reader1',
    ],
    [
      'what follows it is not there',
      1,
      files(['000001_pre', '000001']),
      'chunk 1 of reader0, reader1',
    ],
    ['the first chunk has nothing before it', 0, files(['000000', '000000_post']), null],
    ['the run is at its end', 4, files(['THE_END']), null],
    [
      'a reader has not told its end',
      4,
      files(['THE_END'], { THE_END: ['reader1'] }),
      'THE_END of reader1',
    ],
    [
      'at the end of the run a reader without a file had nothing to write',
      1,
      files([...whole, 'THE_END'], { '000001': ['reader0'] }),
      null,
    ],
    [
      'a reader has written some of its files',
      1,
      new Map([
        ...files(whole),
        [
          '000001',
          new Map([
            ['reader0', 1],
            ['reader1', 1],
          ]),
        ],
      ]),
      'chunk 1 of reader1',
    ],
  ])('%s', (_, chunk, found, text) => {
    expect(awaitedInput(chunk, found, THREADS)).toBe(text);
  });

  it('names few of many readers', () => {
    const many = Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`reader${i}`, 1]));
    const begun: ChunkFiles = new Map([['000000', new Map([['other', 1]])]]);
    expect(awaitedInput(0, begun, many)).toBe('chunk 0 of reader0, reader1, reader2 and 6 more');
  });

  test.each([
    ['reader0_139872', 'reader0'],
    ['reader0_thread_1', 'reader0_thread'],
    ['odd', 'odd'],
  ])('the file %s is of %s', (file, reader) => {
    expect(readerOfFile(file)).toBe(reader);
  });
});
