import type { Cause } from './causes.pure.ts';
import type { Culprit } from '../plan/targets.pure.ts';

/** As much of an attempt's history as the next one learns from. */
export interface PastAttempt {
  /** Counted failures of the run before it. */
  failures: number;
  result: {
    counted: boolean;
    /** Absent in what earlier versions have written. */
    cause?: string | null;
    meaning?: Cause | null;
    plugin: string | null;
  } | null;
}

/** What earlier attempts at a run teach the next one. */
export interface Lessons {
  culprits: readonly Culprit[];
  /** Failures for want of memory. */
  memoryFailures: number;
  /** Counted failures, by their number from 1, after which fewer plugins would not help. */
  futile: readonly number[];
}

const WANT_OF_MEMORY = new Set<string | null | undefined>(['out_of_memory', 'memory_limit']);

function neededLessMemory({ cause, meaning }: NonNullable<PastAttempt['result']>): boolean {
  // What earlier releases wrote has no meaning with it.
  return meaning?.lessMemory ?? WANT_OF_MEMORY.has(cause);
}

/**
 * From a run's attempts, newest first, and its count of failures. Goes down to the first failure of
 * the present count: what a person has reset is past. `askedFailures`: those that a person asked for.
 */
export function lessonsOf(
  history: readonly PastAttempt[],
  failures: number,
  askedFailures: readonly number[] = [],
): Lessons {
  const culprits: Culprit[] = [];
  const futile: number[] = [];
  let memoryFailures = 0;
  let expected = failures - 1;
  for (const { failures: before, result } of history) {
    if (result === null) continue;
    // A failure that a person asked for is in the count, and no attempt ended with it.
    while (askedFailures.includes(expected + 1)) expected--;
    // One that did not count is of this count of failures, or of a lower one.
    if (before !== (result.counted ? expected : expected + 1)) {
      if (result.counted) break;
      continue;
    }
    if (neededLessMemory(result)) memoryFailures += 1;
    if (!result.counted) continue;
    if (result.plugin !== null) culprits.push({ type: result.plugin, failures: before + 1 });
    if (result.meaning?.sheddingHelps === false) futile.push(before + 1);
    expected--;
  }
  return { culprits, memoryFailures, futile };
}
