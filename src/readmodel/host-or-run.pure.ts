import type { FailureGroup } from './failures.pure.ts';
import type { HostScore } from './hosts.pure.ts';

/** An attempt at the run, as far as it says whose fault it is. */
export interface TriedOn {
  host: string;
  outcome: string | null;
  counted: boolean;
}

export type Suspect = 'run' | 'host' | 'common' | 'unclear';

/** Whether a run fails by itself or by where it is processed. */
export interface HostOrRun {
  blame: Suspect;
  /** One sentence: the answer. */
  says: string;
  /** What it rests on, a sentence each. */
  because: string[];
  /** What would be wise, or would tell; null: nothing. */
  advice: string | null;
}

/** A failure that hits so many other runs is not one run's own. */
const COMMON_RUNS = 3;

/**
 * Is it the host or the run? Null for a run without counted failures.
 * @param group - failures of the same cause as its newest, in the last days; null: unknown
 * @param scores - each host against the others, of the last day
 */
export function hostOrRun(
  attempts: readonly TriedOn[],
  group: FailureGroup | null,
  scores: readonly HostScore[],
): HostOrRun | null {
  const failed = tally(attempts.filter(({ counted }) => counted));
  if (failed.size === 0) return null;
  const succeeded = tally(attempts.filter(({ outcome }) => outcome === 'done'));
  const hosts = [...failed.keys()];
  const [only] = hosts;
  const suspect = hosts.length === 1 ? (only ?? null) : null;
  const others = group === null ? 0 : Math.max(0, group.runs.length - 1);
  const because = [
    `It failed on ${listed(failed)}${succeeded.size > 0 ? `, and succeeded on ${listed(succeeded)}` : ''}.`,
    ...(group === null ? [] : [sameCause(group, others)]),
    ...scores.filter(({ host }) => host === suspect).flatMap(scoreOf),
  ];
  const isWorse = scores.some(({ host, worse }) => host === suspect && worse);
  const elsewhere = [...succeeded.keys()].filter((host) => !failed.has(host));

  const isTheHost: HostOrRun = {
    blame: 'host',
    says: `The host: ${short(suspect ?? '')} is to be suspected, not the run.`,
    because,
    advice: `Drain ${short(suspect ?? '')}; the run is then tried on another host.`,
  };
  if (suspect !== null && (elsewhere.length > 0 || isOnlyOf(group, suspect))) return isTheHost;
  if (group !== null && others >= COMMON_RUNS && group.hosts.length > 1) {
    return {
      blame: 'common',
      says: 'Neither: the same failure hits many runs on several hosts.',
      because,
      advice: 'Look at what they share: software, calibration, database, disk.',
    };
  }
  if (suspect !== null && isWorse) return isTheHost;
  if (hosts.length > 1) {
    return {
      blame: 'run',
      says: 'The run: it fails wherever it is tried.',
      because,
      advice: 'Look at its data and its traceback; another host will not help.',
    };
  }
  return {
    blame: 'unclear',
    says: `It cannot be told yet: only ${short(suspect ?? 'one host')} has tried it.`,
    because,
    advice: 'The next attempt on another host will tell.',
  };
}

function isOnlyOf(group: FailureGroup | null, host: string): boolean {
  return group !== null && group.onlyHost === host && group.runs.length > 1;
}

function tally(attempts: readonly TriedOn[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { host } of attempts) counts.set(host, (counts.get(host) ?? 0) + 1);
  return counts;
}

function listed(counts: ReadonlyMap<string, number>): string {
  return [...counts]
    .map(([host, count]) => `${short(host)}${count > 1 ? ` (${count} times)` : ''}`)
    .join(', ');
}

function sameCause({ hosts }: FailureGroup, others: number): string {
  if (others === 0) return 'No other run has failed of the same cause.';
  const where = hosts.length === 1 ? `all on ${short(hosts[0] ?? '')}` : `on ${hosts.length} hosts`;
  return `${others === 1 ? 'One other run has' : `${others} other runs have`} failed of the same cause, ${where}.`;
}

function scoreOf({ host, share, othersShare }: HostScore): string[] {
  if (share === null || othersShare === null) return [];
  const percent = (value: number) => `${Math.round(value * 100)} %`;
  return [
    `On ${short(host)} ${percent(share)} of the runs of the last 24 hours succeeded, on all others ${percent(othersShare)}.`,
  ];
}

function short(host: string): string {
  return host.split('.')[0] ?? host;
}
