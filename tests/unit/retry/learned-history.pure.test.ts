import { expect, it } from 'vitest';

import type { Cause } from '../../../src/retry/causes.pure.ts';
import { learnedFrom, type PastAttempt } from '../../../src/retry/learned-history.pure.ts';

const attempt = (
  failures: number,
  result: Partial<NonNullable<PastAttempt['result']>> | null,
): PastAttempt => ({
  failures,
  result: result === null ? null : { counted: true, cause: 'strax_error', plugin: null, ...result },
});

it('a run that never failed teaches nothing', () => {
  expect(learnedFrom([], 0)).toEqual({ culprits: [], memoryFailures: 0, futile: [] });
  expect(learnedFrom([attempt(0, null)], 0)).toEqual({
    culprits: [],
    memoryFailures: 0,
    futile: [],
  });
});

it('counts the failures for want of memory, by the kernel or by us, and names the culprits', () => {
  const history = [
    attempt(4, null),
    attempt(3, { cause: 'memory_limit' }),
    attempt(2, { cause: 'out_of_memory', plugin: 'peaks' }),
    attempt(2, { counted: false, cause: 'host_problem' }),
    attempt(1, { plugin: 'events' }),
    attempt(0, { cause: 'no_progress' }),
  ];
  expect(learnedFrom(history, 4)).toEqual({
    culprits: [
      { type: 'peaks', failures: 3 },
      { type: 'events', failures: 2 },
    ],
    memoryFailures: 2,
    futile: [],
  });
});

const meant = (changes: Partial<Cause>): { meaning: Cause } => ({
  meaning: {
    ...{ class: 'unknown', plugin: null, whose: 'run', sheddingHelps: true, lessMemory: false },
    ...changes,
  },
});

it('names the failures that fewer plugins would not mend', () => {
  const history = [
    attempt(2, meant({ sheddingHelps: false })),
    attempt(2, { counted: false, ...meant({ sheddingHelps: false }) }),
    attempt(1, meant({})),
    attempt(0, meant({ sheddingHelps: false })),
  ];
  expect(learnedFrom(history, 3).futile).toEqual([3, 1]);
  expect(learnedFrom(history.slice(2), 2).futile).toEqual([1]);
});

it('what an end means goes before how it came about, and counts though the failure did not', () => {
  const history = [
    attempt(2, { counted: false, ...meant({ lessMemory: true }) }),
    attempt(1, { cause: 'strax_error', ...meant({ lessMemory: true }) }),
    attempt(0, { cause: 'out_of_memory', ...meant({ lessMemory: false }) }),
  ];
  expect(learnedFrom(history, 2).memoryFailures).toBe(2);
  expect(learnedFrom([attempt(0, { counted: false, ...meant({ lessMemory: true }) })], 0)).toEqual({
    culprits: [],
    memoryFailures: 1,
    futile: [],
  });
});

it('what a person has reset is past', () => {
  const history = [attempt(0, { cause: 'memory_limit' }), attempt(5, { cause: 'memory_limit' })];
  expect(learnedFrom(history, 1).memoryFailures).toBe(1);
  // Failed by hand meanwhile: the count has gone on without an attempt.
  expect(learnedFrom(history, 2).memoryFailures).toBe(0);
});

it('an attempt of an earlier version names no cause', () => {
  const past = { failures: 0, result: { counted: true, plugin: null } };
  expect(learnedFrom([past], 1)).toEqual({ culprits: [], memoryFailures: 0, futile: [] });
});
