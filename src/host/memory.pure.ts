import type { Ended } from '../attempt/outcome.pure.ts';
import type { MemoryRules } from '../infra/config/rules.pure.ts';
import { gigabytes } from '../infra/values/amounts.pure.ts';

/** What this machine, or the control group the manager lives in, has and has left, in bytes. */
export interface MemoryCapacity {
  totalBytes: number;
  availableBytes: number;
}

/** Memory of an attempt's processes together. */
export interface AttemptMemory {
  bytes: number;
  /** The most that they may have. */
  limitBytes: number;
  /** It is taken from the machine that the manager runs on. */
  isOfThisMachine: boolean;
}

export interface MemoryUse extends AttemptMemory {
  attempt: string;
  /** It is being ended already. */
  ending: boolean;
}

/** An attempt on this machine that uses more memory than this is stopped. */
export function memoryLimitBytes(totalBytes: number, slots: number, rules: MemoryRules): number {
  return ((totalBytes / slots) * rules.maxUsePercent) / 100;
}

export interface ShortAttempt {
  attempt: string;
  cause: Ended;
}

/**
 * Which attempts have to end for want of memory, and as whose fault. Where the machine runs out
 * although each keeps to its limit, it is one at a time: the largest, and none while another is
 * still going.
 */
export function shortOfMemory(
  uses: readonly MemoryUse[],
  { totalBytes, availableBytes }: MemoryCapacity,
  rules: MemoryRules,
): ShortAttempt[] {
  const stopped = ({ attempt, bytes, limitBytes }: MemoryUse): ShortAttempt => ({
    attempt,
    cause: { kind: 'memory_limit', bytes, limitBytes, availableBytes },
  });
  const above = uses.filter(({ bytes, limitBytes, ending }) => !ending && bytes > limitBytes);
  if (above.length > 0) return above.map(stopped);

  const neededBytes = (totalBytes * rules.minAvailablePercent) / 100;
  const here = uses.filter(({ isOfThisMachine }) => isOfThisMachine);
  if (availableBytes >= neededBytes || here.some(({ ending }) => ending)) return [];
  const [largest] = here.sort((a, b) => b.bytes - a.bytes);
  // Ending what hardly has any would not help: somebody else has it.
  if (largest === undefined || largest.bytes < neededBytes) return [];
  if (largest.bytes > largest.limitBytes / 2) return [stopped(largest)];
  const reason =
    `the machine has ${gigabytes(availableBytes)} of memory left of ${gigabytes(totalBytes)}, ` +
    `of which this attempt used ${gigabytes(largest.bytes)}: other programs use the rest`;
  return [{ attempt: largest.attempt, cause: { kind: 'host_problem', reason } }];
}

/** A run is not begun where the next look might have to end it, times what must be available. */
const ROOM_TO_BEGIN = 2;

/** Why no run is to be begun for want of memory; null if there is enough. */
export function memoryProblem(
  { totalBytes, availableBytes }: MemoryCapacity,
  rules: MemoryRules,
): string | null {
  const neededBytes = (ROOM_TO_BEGIN * totalBytes * rules.minAvailablePercent) / 100;
  if (availableBytes >= neededBytes) return null;
  return (
    `the machine has ${gigabytes(availableBytes)} of memory left of ${gigabytes(totalBytes)}, ` +
    `${gigabytes(neededBytes)} are needed: waiting for memory`
  );
}
