import type { StoredRun } from '../../run/run.pure.ts';
import { HOLD_TAG } from '../../run/run-tags.pure.ts';

/**
 * What a person saw when they decided on an action, in one line. The action is carried out only while
 * this is still the same, so heartbeats and other values that change all the time are not in it.
 */

/** What a person sees of a run, from its document. */
export function runSeen(stored: StoredRun): string {
  const { state, host, time, attempt } = stored.ownership;
  const { failures } = stored.bootstrax;
  const debtAttempt = stored.own.debt?.attempt ?? null;
  const isHeldByHost = state === 'considering' || state === 'busy';
  return [
    textOf(state) ?? 'new',
    host == null ? null : `on ${textOf(host)}`,
    attempt == null ? null : `attempt ${textOf(attempt)}`,
    isHeldByHost || time == null ? null : `since ${textOf(time)}`,
    failures > 0 ? `failures ${failures}` : null,
    debtAttempt === null ? null : `made up for by ${debtAttempt}`,
    isHeld(stored) ? 'held' : null,
  ]
    .filter((part) => part !== null)
    .join(', ');
}

/** Whether the run has the tag that keeps all hosts away. */
export function isHeld({ tags }: Pick<StoredRun, 'tags'>): boolean {
  return tags.includes(HOLD_TAG);
}

/** The fence of a write that lands only while this is unchanged; empty where the tag is plain text. */
export function heldFilter(stored: Pick<StoredRun, 'tags' | 'namedTags'>): { held?: boolean } {
  if (stored.namedTags.includes(HOLD_TAG)) return { held: true };
  return isHeld(stored) ? {} : { held: false };
}

/** What a person sees of a host: whether it is drained. */
export function hostSeen(drained: { reason: string; expires: string | null } | null): string {
  if (drained === null) return 'not drained';
  return `drained${drained.expires === null ? '' : ` until ${drained.expires}`}: ${drained.reason}`;
}

const BETWEEN = ' | ';

/** What a person sees of an item: its occurrence, and the action that acknowledges it. */
export function itemSeen(occurrence: string, acknowledgedBy: string | null): string {
  return `${acknowledgedBy ?? 'not acknowledged'}${BETWEEN}${occurrence}`;
}

/** The two parts of `itemSeen`; null: the text has another form. */
export function itemParts(
  seen: string,
): { occurrence: string; acknowledgedBy: string | null } | null {
  const at = seen.indexOf(BETWEEN);
  if (at < 0) return null;
  const first = seen.slice(0, at);
  return {
    occurrence: seen.slice(at + BETWEEN.length),
    acknowledgedBy: first === 'not acknowledged' ? null : first,
  };
}

function textOf(value: unknown): string | null {
  if (value == null) return null;
  if (value instanceof Date) return value.toISOString();
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? null);
}
