import {
  type Acknowledged,
  itemMarks,
  type Standings,
} from '../features/actions/acknowledgement.pure.ts';

/** The part of a counted failure that the groups use. */
export interface CountedFailure {
  run: number;
  host: string;
  ended: Date;
  fingerprint: string | null;
  plugin: string | null;
  /** The cause in words. */
  cause: string | null;
  reason: string | null;
  traceback: string | null;
  versions: Readonly<Record<string, string>>;
}

/** Failures that are alike. Times are ISO 8601, UTC. */
export interface FailureGroup {
  fingerprint: string;
  count: number;
  firstSeen: string;
  lastSeen: string;
  /** First seen within the last day. */
  isNew: boolean;
  /** Newest first, each once. */
  runs: number[];
  hosts: string[];
  /** Versions of packages, where they are known. */
  versions: string[];
  plugin: string | null;
  cause: string | null;
  /** The reason of the newest failure. */
  reason: string;
  traceback: string | null;
  /** Failures per day, oldest first, ending with today. */
  trend: number[];
  /** The only host on which it occurs, although others failed or succeeded too. */
  onlyHost: string | null;
  /** Key of the group for actions. */
  key: string;
  seen: string;
  acknowledged: Acknowledged | null;
}

export const TREND_DAYS = 14;
const DAY_MS = 86_400_000;

/** Groups by fingerprint, the one seen last first. `hosts`: all that ended attempts in this time. */
export function failureGroups(
  failures: readonly CountedFailure[],
  hosts: readonly string[],
  now: Date,
  standings: Standings = new Map(),
): FailureGroup[] {
  const groups = new Map<string, CountedFailure[]>();
  for (const failure of failures) {
    const key = failure.fingerprint ?? `cause: ${failure.cause ?? 'unknown'}`;
    groups.set(key, [...(groups.get(key) ?? []), failure]);
  }
  return [...groups]
    .map(([fingerprint, members]) => groupOf(fingerprint, members, { hosts, standings, now }))
    .sort((a, b) => b.lastSeen.localeCompare(a.lastSeen));
}

function groupOf(
  fingerprint: string,
  members: CountedFailure[],
  { hosts, standings, now }: { hosts: readonly string[]; standings: Standings; now: Date },
): FailureGroup {
  const newestFirst = [...members].sort((a, b) => b.ended.getTime() - a.ended.getTime());
  const newest = newestFirst[0]!;
  const oldest = newestFirst.at(-1)!;
  const own = [...new Set(newestFirst.map(({ host }) => host))].sort();
  const versions = newestFirst.flatMap((each) =>
    Object.entries(each.versions)
      .filter(([name]) => name === 'strax' || name === 'straxen')
      .map(([name, version]) => `${name} ${version}`),
  );
  return {
    fingerprint,
    count: members.length,
    firstSeen: oldest.ended.toISOString(),
    lastSeen: newest.ended.toISOString(),
    isNew: now.getTime() - oldest.ended.getTime() < DAY_MS,
    runs: [...new Set(newestFirst.map(({ run }) => run))],
    hosts: own,
    versions: [...new Set(versions)].sort(),
    plugin: newest.plugin,
    cause: newest.cause,
    reason: newest.reason ?? 'no reason is known',
    traceback: newest.traceback,
    trend: trendOf(members, now),
    onlyHost: own.length === 1 && members.length > 1 && hosts.length > 1 ? (own[0] ?? null) : null,
    // A group stays the same occurrence, whenever its failure comes again.
    ...itemMarks(`failure:${fingerprint}`, fingerprint, standings, now),
  };
}

function trendOf(members: readonly CountedFailure[], now: Date): number[] {
  const today = Math.floor(now.getTime() / DAY_MS);
  const trend = Array.from({ length: TREND_DAYS }, () => 0);
  for (const { ended } of members) {
    const day = TREND_DAYS - 1 - (today - Math.floor(ended.getTime() / DAY_MS));
    if (trend[day] !== undefined) trend[day]++;
  }
  return trend;
}
