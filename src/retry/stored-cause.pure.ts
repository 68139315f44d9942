import { type Cause, CAUSE_CLASSES, type CauseClass, causeText } from './causes.pure.ts';

/** The end of an attempt in the history, written by any release. */
interface StoredEnd {
  outcome?: unknown;
  /** Exit cause of the attempt. */
  cause?: unknown;
  meaning?: unknown;
}

type ShownCause = Pick<Cause, 'class' | 'plugin'>;

/** Class by exit cause, for documents without a cause. */
const CLASS_OF_END: Readonly<Record<string, CauseClass>> = {
  out_of_memory: 'out_of_memory',
  memory_limit: 'out_of_memory',
  timed_out: 'hang',
  no_progress: 'hang',
  host_problem: 'host',
  operator: 'operator',
  vanished: 'vanished',
  manager: 'manager',
  not_started: 'manager',
  orphaned: 'manager',
};

/** Why an attempt failed; null if it did not, or had no exit cause of its own. */
export function storedCause({ outcome, cause, meaning }: StoredEnd): ShownCause | null {
  if (outcome === 'done' || outcome === 'superseded') return null;
  if (typeof meaning === 'object' && meaning !== null) {
    const { class: stored, plugin } = meaning as Record<string, unknown>;
    const known = CAUSE_CLASSES.find((each) => each === stored) ?? 'unknown';
    return { class: known, plugin: typeof plugin === 'string' ? plugin : null };
  }
  if (typeof cause !== 'string' || cause === 'superseded') return null;
  return { class: CLASS_OF_END[cause] ?? 'unknown', plugin: null };
}

/** The same in the words of all pages, commands and reports; null likewise. */
export function storedCauseText(end: StoredEnd): string | null {
  const cause = storedCause(end);
  return cause === null ? null : causeText(cause);
}
