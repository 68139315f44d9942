import { describe, expect, it, test } from 'vitest';

import { readRun } from '../../../src/run/run.pure.ts';
import { runView } from '../../../src/run/run-view.pure.ts';
import { isMoving, stallText } from '../../../src/run/stall.pure.ts';

const NOW = new Date('2026-03-01T12:30:00Z');
const ago = (seconds: number) => new Date(NOW.getTime() - seconds * 1000);

/** A run of 100 s of which 42 s are read; its last progress was so long ago. */
function progressOf(stillSeconds: number | null, more: Record<string, unknown> = {}) {
  const progress = {
    ...{ phase: 'processing', chunks: 4, covered_seconds: 42, bytes: 1, mb_per_s: 1 },
    ...{ memory_bytes: 1, t: 20, ...more },
    ...(stillSeconds === null ? {} : { moved: ago(stillSeconds) }),
  };
  const document = {
    ...{ number: 7, start: ago(400), end: ago(300), mode: 'radon', detectors: ['tpc'] },
    data: [{ type: 'live', host: 'daq', location: '/live/7' }],
    daq_config: { processing_threads: { reader0: 1 } },
    bootstrax: { state: 'busy', host: 'eb0', time: NOW, progress },
  };
  return runView(readRun(document), NOW).progress!;
}

describe('a run in work', () => {
  test.each([
    ['that has just moved', 5, false, true],
    ['between two chunks', 29, false, true],
    ['that has not moved for long', 31, false, false],
    ['without progress for the limit', 120, false, false],
    ['without progress for longer', 121, true, false],
    ['of an earlier release, which says nothing of it', null, false, true],
  ])('%s', (_, stillSeconds, isStalled, hasForecast) => {
    const progress = progressOf(stillSeconds);
    expect(progress.isStalled).toBe(isStalled);
    expect(progress.estimatedEnd !== null).toBe(hasForecast);
  });

  it('says what it waits for, on one line', () => {
    expect(progressOf(240, { waits_for: 'chunk 1 of reader0' }).waitsFor).toBe(
      'chunk 1 of reader0',
    );
    expect(progressOf(240, { waits_for: 7 }).waitsFor).toBeNull();
    expect(progressOf(240, { waits_for: 'x'.repeat(5000) }).waitsFor?.length).toBeLessThan(300);
  });
});

test('a stall says for how long, and for what, if that is known', () => {
  expect(stallText({ stillSeconds: 240, waitsFor: null })).toBe('no progress for 4 min');
  expect(stallText({ stillSeconds: 240, waitsFor: 'chunk 1 of reader0' })).toBe(
    'no progress for 4 min: waits for chunk 1 of reader0',
  );
});

test('a run of long chunks moves although minutes pass between two of them', () => {
  expect(isMoving({ stillSeconds: 200 }, { seconds: 300, chunks: 4 })).toBe(true);
  expect(isMoving({ stillSeconds: 230 }, { seconds: 300, chunks: 4 })).toBe(false);
  expect(isMoving({ stillSeconds: 200 }, { seconds: 300, chunks: 0 })).toBe(false);
});
