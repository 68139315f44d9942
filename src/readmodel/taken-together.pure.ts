import { isWorking } from './run-condition.pure.ts';
import type { RunRow } from './run-row.pure.ts';

/** A run that may still be taken. */
export type OpenRun = Pick<RunRow, 'id' | 'run' | 'condition' | 'detectors' | 'start' | 'end'>;

/** Runs of one detector that have all begun and not ended. */
export interface TakenTogether {
  detector: string;
  /** Newest first. */
  runs: OpenRun[];
  /** When the newest of them began; ISO 8601, UTC. */
  since: string | null;
}

/** The DAQ may write the end of a run a little after the start of the next one. */
const GRACE_SECONDS = 300;
/** From this number on no order of writing explains it. */
const TOO_MANY = 3;
/** An older run without an end is known for that already. */
const LONGEST_RUN_SECONDS = 24 * 3600;

/**
 * Runs that are being taken at once although they have a detector in common: each run once, with the
 * first of its detectors. A run that a person or an item of its own has dealt with does not count.
 */
export function takenTogether(runs: readonly OpenRun[], now: Date): TakenTogether[] {
  const open = [...new Map(runs.map((run) => [run.id, run])).values()].filter((run) =>
    isOpen(run, now),
  );
  const told = new Set<string>();
  const detectors = [...new Set(open.flatMap((run) => run.detectors))];
  return detectors.flatMap((detector) => {
    const own = open
      .filter((run) => run.detectors.includes(detector))
      .sort((a, b) => startOf(b) - startOf(a));
    const [newest] = own;
    if (newest === undefined || own.length < 2) return [];
    const isCertain = own.length >= TOO_MANY || ageSeconds(newest, now) > GRACE_SECONDS;
    const ids = own.map(({ id }) => id).join(' ');
    if (!isCertain || told.has(ids)) return [];
    told.add(ids);
    return [{ detector, runs: own, since: newest.start }];
  });
}

function isOpen(run: OpenRun, now: Date): boolean {
  const { condition, end, start } = run;
  const mayBeTaken = condition === 'new' || condition === 'held' || isWorking(condition);
  return end === null && start !== null && mayBeTaken && ageSeconds(run, now) < LONGEST_RUN_SECONDS;
}

function startOf({ start }: OpenRun): number {
  return start === null ? 0 : Date.parse(start);
}

function ageSeconds(run: OpenRun, now: Date): number {
  return (now.getTime() - startOf(run)) / 1000;
}
