import { describe, expect, it } from 'vitest';

import { firstStepsAt, latenciesOf, readTimes } from '../../../src/attempt/attempt-times.pure.ts';

const at = (seconds: number) => new Date(Date.UTC(2026, 0, 1) + seconds * 1000);

describe('the times of an attempt', () => {
  it('of its first steps follow from when the run became busy', () => {
    expect(firstStepsAt(at(10), { firstChunk: 0.25, firstOutput: 2 })).toEqual({
      firstChunk: at(10.25),
      firstOutput: at(12),
    });
    expect(firstStepsAt(at(10), { firstChunk: null })).toEqual({});
    expect(firstStepsAt(undefined, { firstChunk: 1, firstOutput: 2 })).toEqual({});
  });

  it('give the durations between its steps', () => {
    const times = {
      runStart: at(0),
      noticed: at(1),
      claimed: at(1.5),
      started: at(2),
      firstChunk: at(5),
      firstOutput: at(6),
      runEnd: at(60),
    };
    expect(latenciesOf(times, { ended: at(63), done: true })).toEqual({
      noticeToClaim: 0.5,
      claimToStart: 0.5,
      startToFirstChunk: 3,
      runStartToFirstOutput: 6,
      runEndToDone: 3,
    });
    expect(latenciesOf(times, { ended: at(63), done: false })).toMatchObject({
      startToFirstChunk: 3,
      runStartToFirstOutput: null,
      runEndToDone: null,
    });
  });

  it('are never negative, and unknown where a step is not known', () => {
    expect(latenciesOf({ runEnd: at(9), claimed: at(1) }, { ended: at(8), done: true })).toEqual({
      noticeToClaim: null,
      claimToStart: null,
      startToFirstChunk: null,
      runStartToFirstOutput: null,
      runEndToDone: 0,
    });
  });

  it('are read from what is a date in the document', () => {
    const written = { noticed: at(1), claimed: 'yesterday', started: null, other: at(2) };
    expect(readTimes(written)).toEqual({ noticed: at(1) });
    for (const none of [null, undefined, 'text', 3]) expect(readTimes(none)).toEqual({});
  });
});
