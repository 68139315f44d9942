import type { Culprit } from '../plan/targets.pure.ts';
import type { Cause } from './causes.pure.ts';

/** The part of an earlier attempt that shapes the next one. */
export interface PastAttempt {
  /** Counted failures of the run before it. */
  failures: number;
  result: {
    counted: boolean;
    /** Absent in documents of earlier releases. */
    cause?: string | null;
    meaning?: Cause | null;
    plugin: string | null;
  } | null;
}

/** What the next attempt takes into account from earlier ones. */
export interface LearnedHistory {
  culprits: readonly Culprit[];
  /** Number of failures from lack of memory. */
  memoryFailures: number;
  /** Counted failures, by their number from 1, after which fewer plugins would not help. */
  futile: readonly number[];
}

const WANT_OF_MEMORY = new Set<string | null | undefined>(['out_of_memory', 'memory_limit']);

function neededLessMemory({ cause, meaning }: NonNullable<PastAttempt['result']>): boolean {
  // Documents of earlier releases have no cause.
  return meaning?.lessMemory ?? WANT_OF_MEMORY.has(cause);
}

/**
 * Learns from the attempts at a run, newest first, and its count of failures. Stops at the first failure
 * of the present count: failures before a reset do not matter. `askedFailures`: those that a person
 * asked for.
 */
export function learnedFrom(
  history: readonly PastAttempt[],
  failures: number,
  askedFailures: readonly number[] = [],
): LearnedHistory {
  const culprits: Culprit[] = [];
  const futile: number[] = [];
  let memoryFailures = 0;
  let expected = failures - 1;
  for (const { failures: before, result } of history) {
    if (result === null) continue;
    // A failure that a person asked for is in the count, and no attempt ended with it.
    while (askedFailures.includes(expected + 1)) expected--;
    // An uncounted one belongs to this count of failures or to a lower one.
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
