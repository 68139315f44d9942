import type { RunView } from '../run/run-view.pure.ts';
import { type Condition, conditionOf, missingTargets } from './run-condition.pure.ts';

/** One row of the list of runs. */
export interface RunRow extends Omit<RunView, 'reason'> {
  /** Of the document. */
  id: string;
  condition: Condition;
  /** First meaningful line of the reason, without the host's name. */
  why: string | null;
  /** Number of targets of the newest plan, and of those dropped before. */
  wanted: number;
  got: number;
  /** Counted failures after which a run is given up. */
  giveUpAfter: number;
  /** What a person saw: an action lands only while it is still the same. */
  seen: string;
}

/** The row of one run; `seen` comes from `features/actions/seen.pure`. */
export function runRow(id: string, view: RunView, giveUpAfter: number, seen: string): RunRow {
  const { reason, ...rest } = view;
  const wanted = new Set([...view.targets, ...view.dropped]);
  const missing = new Set(missingTargets(view));
  const condition = conditionOf(view, giveUpAfter);
  const got =
    condition === 'done' || condition === 'debt'
      ? wanted.size - missing.size
      : [...wanted].filter((type) => view.stored.includes(type)).length;
  return {
    ...rest,
    id,
    condition,
    why: shownReason(view, condition, [...missing]),
    wanted: wanted.size,
    got,
    giveUpAfter,
    seen,
  };
}

function shownReason(
  { reason, malformed, incomplete }: RunView,
  condition: Condition,
  missing: readonly string[],
): string | null {
  if (malformed.length > 0) {
    return malformed.map(({ field, problem }) => `${field} ${problem}`).join('; ');
  }
  const lacks = incomplete.join(' ');
  if (condition === 'debt') {
    const dropped = `dropped: ${missing.join(', ')}`;
    return lacks === '' ? dropped : `${lacks} Targets ${dropped}`;
  }
  if (condition === 'done' && lacks !== '') return lacks;
  // The reason stays in the document after a later success.
  if (condition === 'done' || condition === 'new' || reason === null) return null;
  return firstLine(reason);
}

/** `<host>:\n<reason>\n<traceback>` in one line, without the number of the run. */
export function firstLine(reason: string): string | null {
  const lines = reason
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const first = lines[0];
  if (first === undefined) return null;
  const says = /^\S+:$/.test(first) ? (lines[1] ?? first) : first;
  // The reader knows which run the text is about.
  return says.replace(/^Run \d+: (?=\S)/, '');
}
