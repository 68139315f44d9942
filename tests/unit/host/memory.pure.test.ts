import { describe, expect, it } from 'vitest';

import {
  memoryLimitBytes,
  memoryProblem,
  type MemoryUse,
  shortOfMemory,
} from '../../../src/host/memory.pure.ts';
import { defaultRules } from '../../../src/infra/config/rules.pure.ts';

const GB = 1e9;
type Use = Pick<MemoryUse, 'attempt' | 'bytes' | 'ending'>;
const RULES = defaultRules.memory;
const use = (attempt: string, gigabytes: number, ending = false): Use => ({
  attempt,
  bytes: gigabytes * GB,
  ending,
});
/** What is used here, where each attempt has the same share of the machine. */
const here = (uses: readonly Use[], slots: number, rules = RULES): MemoryUse[] =>
  uses.map((each) => ({
    ...each,
    limitBytes: memoryLimitBytes(100 * GB, slots, rules),
    isOfThisMachine: true,
  }));
const capacity = (total: number, available: number) => ({
  totalBytes: total * GB,
  availableBytes: available * GB,
});
const ended = (uses: readonly MemoryUse[], available: number) =>
  shortOfMemory(uses, capacity(100, available), RULES).map(
    ({ attempt, cause }) => `${attempt}: ${cause.kind}`,
  );

describe('the memory of attempts', () => {
  it('is limited to a share of what there is, divided by the slots', () => {
    expect(memoryLimitBytes(100 * GB, 1, RULES)).toBe(85 * GB);
    expect(memoryLimitBytes(100 * GB, 4, RULES)).toBe(21.25 * GB);
  });

  it.each<[string, Use[], number, number, string[]]>([
    ['nothing runs', [], 50, 1, []],
    ['nothing runs, and all memory is gone', [], 0, 1, []],
    ['at the limit', [use('a', 85)], 10, 1, []],
    ['above the limit', [use('a', 85.1)], 10, 1, ['a: memory_limit']],
    ['above the limit, ending already', [use('a', 90, true)], 10, 1, []],
    [
      'each above its slot',
      [use('a', 43), use('b', 44)],
      10,
      2,
      ['a: memory_limit', 'b: memory_limit'],
    ],
    ['one above its slot', [use('a', 42), use('b', 44)], 10, 2, ['b: memory_limit']],
    ['the machine is at its end', [use('a', 80)], 2.9, 1, ['a: memory_limit']],
    [
      'the machine is at its end: the larger',
      [use('a', 30), use('b', 40)],
      2.9,
      2,
      ['b: memory_limit'],
    ],
    ['one at a time', [use('a', 40), use('b', 41, true)], 1, 2, []],
    ['enough is left', [use('a', 80)], 3, 1, []],
    ['somebody else has it', [use('a', 20)], 1, 1, ['a: host_problem']],
    ['it would not help', [use('a', 2.9)], 1, 1, []],
    ['it just helps', [use('a', 3)], 1, 1, ['a: host_problem']],
    ['it has half of what it may', [use('a', 42.5)], 1, 1, ['a: host_problem']],
    ['it has more than half of what it may', [use('a', 42.6)], 1, 1, ['a: memory_limit']],
  ])('%s', (...[, uses, available, slots, expected]) => {
    expect(ended(here(uses, slots), available)).toEqual(expected);
  });

  it.each<[string, number, number, string[]]>([
    ['keeps to its own limit, though that is above the share of an attempt here', 90, 10, []],
    ['is above its own limit', 101, 10, ['far: memory_limit']],
    ['has more than any, but this machine is at its end', 90, 1, ['near: memory_limit']],
  ])('an attempt elsewhere %s', (_, gigabytes, available, expected) => {
    const far = { ...use('far', gigabytes), limitBytes: 100 * GB, isOfThisMachine: false };
    expect(ended([far, ...here([use('near', 50)], 1)], available)).toEqual(expected);
  });

  it('an attempt elsewhere that is ending frees nothing here', () => {
    const far = { ...use('far', 90, true), limitBytes: 100 * GB, isOfThisMachine: false };
    expect(ended([far, ...here([use('near', 50)], 1)], 1)).toEqual(['near: memory_limit']);
  });

  it('the cause says by how much', () => {
    expect(shortOfMemory(here([use('a', 90)], 1), capacity(100, 5), RULES)).toEqual([
      {
        attempt: 'a',
        cause: {
          kind: 'memory_limit',
          bytes: 90 * GB,
          limitBytes: 85 * GB,
          availableBytes: 5 * GB,
        },
      },
    ]);
    const [other] = shortOfMemory(here([use('a', 20)], 1), capacity(100, 1), RULES);
    expect(other?.cause).toMatchObject({
      reason: expect.stringContaining('1.0 GB of memory left of 100.0 GB') as string,
    });
  });

  it.each([
    [6, null],
    [
      5.9,
      'the machine has 5.9 GB of memory left of 100.0 GB, 6.0 GB are needed: waiting for memory',
    ],
  ])('with %s %% left, a run may begin unless: %s', (available, problem) => {
    expect(memoryProblem(capacity(100, available), RULES)).toBe(problem);
  });

  it('neither limit has to be', () => {
    const rules = { maxUsePercent: 1000, minAvailablePercent: 0 };
    const uses = here([use('a', 99)], 1, rules);
    expect(shortOfMemory(uses, capacity(100, 0), rules)).toEqual([]);
  });
});
