import type { Culprit } from './targets.ts';

/** As much of an attempt's history as the next one learns from. */
export interface PastAttempt {
  /** Counted failures of the run before it. */
  failures: number;
  result: {
    counted: boolean;
    /** Absent in what earlier versions have written. */
    cause?: string | null;
    plugin: string | null;
  } | null;
}

/** What earlier attempts at a run teach the next one. */
export interface Lessons {
  culprits: readonly Culprit[];
  /** Counted failures for want of memory. */
  memoryFailures: number;
}

const WANT_OF_MEMORY = new Set<string | null | undefined>(['out_of_memory', 'memory_limit']);

/**
 * From a run's attempts, newest first, and its count of failures. Goes down to the first failure of
 * the present count: what a person has reset is past.
 */
export function lessonsOf(history: readonly PastAttempt[], failures: number): Lessons {
  const culprits: Culprit[] = [];
  let memoryFailures = 0;
  let expected = failures - 1;
  for (const { failures: before, result } of history) {
    if (!result?.counted) continue;
    if (before !== expected) break;
    if (result.plugin !== null) culprits.push({ type: result.plugin, failures: before + 1 });
    if (WANT_OF_MEMORY.has(result.cause)) memoryFailures += 1;
    expected--;
  }
  return { culprits, memoryFailures };
}
