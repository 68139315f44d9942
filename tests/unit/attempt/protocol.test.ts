import { describe, expect, it } from 'vitest';

import {
  endedSchema,
  endingSchema,
  planSchema,
  productSchema,
  serverMessageSchema,
} from '../../../src/attempt/attempt.pure.ts';

describe('files of attempts', () => {
  const product = {
    type: 'peaks',
    location: '/p',
    lineageHash: 'abc',
    lineage: {},
    chunks: 1,
    rows: 1,
    bytes: 1,
    startNs: '-5',
    endNs: null,
  };

  it('may carry fields of another release', () => {
    const later = { ...product, later: { field: 1 } };
    expect(productSchema.parse(later)).toEqual(later);
    expect(serverMessageSchema.parse({ type: 'ended', attempt: 'a', later: 1 })).toEqual({
      type: 'ended',
      attempt: 'a',
      later: 1,
    });
  });

  it.each(['', '5x', 'x5', '1.5', '5\n', ' 5', 5])('%j is no time in nanoseconds', (startNs) => {
    expect(productSchema.safeParse({ ...product, startNs }).success).toBe(false);
  });

  it('name attempts and runs in one way', () => {
    const { attempt, runId } = planSchema.shape;
    expect(attempt.safeParse('0123456789abcdef01234567').success).toBe(true);
    for (const bad of ['0123456789abcdef0123456', '0123456789abcdef012345678', 'A'.repeat(24)]) {
      expect(attempt.safeParse(bad).success).toBe(false);
    }
    expect(runId.safeParse('000007').success).toBe(true);
    expect(runId.safeParse('1234567').success).toBe(true);
    for (const bad of ['00007', 'x000007', '000007x']) {
      expect(runId.safeParse(bad).success).toBe(false);
    }
  });
});

describe('why a manager ended an attempt', () => {
  const memory = { kind: 'memory_limit', bytes: 1, limitBytes: 2, availableBytes: 3 };
  const reasons = [
    { kind: 'timed_out', which: 'processing' },
    { kind: 'timed_out', which: 'after_end' },
    { kind: 'no_progress' },
    memory,
    { kind: 'host_problem', reason: 'r' },
    { kind: 'operator', reason: 'r' },
    { kind: 'superseded' },
    { kind: 'manager', reason: 'r' },
  ];

  it.each(reasons)('$kind is understood', (ended) => {
    expect(endedSchema.parse(ended)).toEqual(ended);
    const ending = { version: 1, attempt: 'a', ended, later: 1 };
    expect(endingSchema.parse(ending)).toEqual(ending);
  });

  it.each([
    {},
    { kind: '' },
    { kind: 'timed_out' },
    { kind: 'timed_out', which: '' },
    { kind: 'host_problem' },
    { kind: 'operator' },
    { kind: 'manager' },
    { ...memory, bytes: undefined },
    { ...memory, limitBytes: undefined },
    { ...memory, availableBytes: undefined },
  ])('%j is not', (ended) => {
    expect(endedSchema.safeParse(ended).success).toBe(false);
  });

  it('is told of one attempt, in a version', () => {
    const ending = { version: 1, attempt: 'a', ended: { kind: 'no_progress' } };
    for (const version of [0, 1.5, '1', null]) {
      expect(endingSchema.safeParse({ ...ending, version }).success).toBe(false);
    }
    expect(endingSchema.safeParse({ ...ending, version: 2 }).error?.message).toContain(
      'was written by a later release: it has version 2, this one understands up to 1',
    );
    expect(endingSchema.safeParse({ ...ending, attempt: undefined }).success).toBe(false);
    expect(endingSchema.safeParse({ ...ending, ended: undefined }).success).toBe(false);
  });
});
