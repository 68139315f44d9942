import type { RunView } from '../run/run-view.pure.ts';
import { conditionOf, missingTargets, type Condition } from './run-condition.pure.ts';

/** A run as the dashboard lists it. */
export interface RunRow extends Omit<RunView, 'reason'> {
  /** Of the document. */
  id: string;
  condition: Condition;
  /** First line of the reason that says something, without the host's name. */
  why: string | null;
  /** Targets asked for in the newest plan, and those left out before. */
  wanted: number;
  got: number;
  /** Counted failures after which a run is given up. */
  giveUpAfter: number;
  /** For actions: they land only while it is still so. */
  seen: string;
}

/** The row of one run; `seen` as `features/actions/seen.pure` has it. */
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
    const leftOut = `left out: ${missing.join(', ')}`;
    return lacks === '' ? leftOut : `${lacks} Targets ${leftOut}`;
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
  // Whoever reads it knows which run it is about.
  return says.replace(/^Run \d+: (?=\S)/, '');
}
