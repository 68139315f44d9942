import type { Rules } from '../infra/config/rules.pure.ts';
import type { ParsedRun } from '../run/run.pure.ts';

/** Groups of candidates in the order in which they are tried. */
const GROUPS = ['malformed', 'overdue', 'new', 'retry'] as const;
type Group = (typeof GROUPS)[number];

interface Rank {
  group: Group;
  /** Within a group, lower goes first. */
  key: number;
  number: number;
}

function rank(parsed: ParsedRun, rules: Rules, now: Date): Rank {
  // Setting aside costs one write and must not wait behind hours of processing.
  if (parsed.kind === 'malformed') {
    return { group: 'malformed', key: 0, number: parsed.malformed.number ?? -1 };
  }
  const { bootstrax, start, number } = parsed.run;
  const isNew = bootstrax.state === null;
  const since = (isNew ? start : (bootstrax.nextRetry ?? now)).getTime();
  if (now.getTime() - since > rules.claim.overdueSeconds * 1000) {
    return { group: 'overdue', key: since, number };
  }
  return { group: isNew ? 'new' : 'retry', key: -start.getTime(), number };
}

/**
 * Candidates in the order in which they are to be tried: what has waited too long, longest first;
 * then new runs, newest first; then retries, newest first. The input is not changed.
 */
export function orderCandidates<T extends { parsed: ParsedRun }>(
  candidates: readonly T[],
  rules: Rules,
  now: Date,
): T[] {
  return candidates
    .map((candidate) => ({ candidate, rank: rank(candidate.parsed, rules, now) }))
    .sort(
      (a, b) =>
        GROUPS.indexOf(a.rank.group) - GROUPS.indexOf(b.rank.group) ||
        a.rank.key - b.rank.key ||
        b.rank.number - a.rank.number,
    )
    .map(({ candidate }) => candidate);
}
