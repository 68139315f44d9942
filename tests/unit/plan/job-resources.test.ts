import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import {
  type EarlierJob,
  type JobResources,
  mayGrow,
  resourcesOf,
} from '../../../src/plan/job-resources.pure.ts';

const GB = 1e9;
const FACTS = { cores: 4, expectedBytes: 8 * GB, expectedSeconds: 3600, earlier: [] };
const LIMITS = { maxMemoryBytes: 60 * GB, maxSeconds: 86_400 };

function after(
  end: EarlierJob['end'],
  asked: Partial<JobResources>,
  peakBytes: number | null = null,
) {
  const all = { cores: 4, memoryBytes: 9.2 * GB, seconds: 10_800, ...asked };
  return resourcesOf({ ...FACTS, earlier: [{ asked: all, peakBytes, end }] }, LIMITS);
}

describe('what a job asks Slurm for', () => {
  it('is what the data rate lets expect, with a margin', () => {
    expect(resourcesOf(FACTS, LIMITS)).toEqual({
      cores: 4,
      memoryBytes: 9.2 * GB,
      seconds: 10_800,
    });
  });

  it('is half an hour at least, and no more than the partition allows', () => {
    expect(resourcesOf({ ...FACTS, expectedSeconds: 1 }, LIMITS).seconds).toBe(1800);
    expect(resourcesOf({ ...FACTS, expectedSeconds: 1e6 }, LIMITS).seconds).toBe(86_400);
    expect(
      resourcesOf({ ...FACTS, expectedSeconds: 1e6 }, { ...LIMITS, maxSeconds: null }).seconds,
    ).toBe(3e6);
  });

  it('follows what the last attempt has used', () => {
    expect(after('other', {}, 20 * GB).memoryBytes).toBe(26 * GB);
  });

  it('grows by half after the memory ran out, and doubles after the time did', () => {
    expect(after('out_of_memory', { memoryBytes: 20 * GB }, 5 * GB).memoryBytes).toBe(30 * GB);
    expect(after('out_of_memory', { memoryBytes: 50 * GB }).memoryBytes).toBe(60 * GB);
    expect(after('too_slow', { seconds: 20_000 }).seconds).toBe(40_000);
    expect(mayGrow({ cores: 4, memoryBytes: 60 * GB, seconds: 1 }, LIMITS)).toBe(false);
    expect(mayGrow({ cores: 4, memoryBytes: 59 * GB, seconds: 1 }, LIMITS)).toBe(true);
  });

  it('never shrinks while attempts run out of memory, until it asks for the most there is', () => {
    fc.assert(
      fc.property(fc.double({ min: 1e6, max: 1e12, noNaN: true }), (expectedBytes) => {
        const earlier: EarlierJob[] = [];
        let asked = resourcesOf({ ...FACTS, expectedBytes }, LIMITS);
        for (let i = 0; mayGrow(asked, LIMITS); i++) {
          expect(i).toBeLessThan(13);
          earlier.push({ asked, peakBytes: null, end: 'out_of_memory' });
          const next = resourcesOf({ ...FACTS, expectedBytes, earlier }, LIMITS);
          expect(next.memoryBytes).toBeGreaterThan(asked.memoryBytes);
          asked = next;
        }
        expect(asked.memoryBytes).toBe(LIMITS.maxMemoryBytes);
      }),
    );
  });
});
