import { counted } from '../infra/values/counted.pure.ts';
import type { FailureGroup } from './failures.pure.ts';
import type { HostScore } from './hosts.pure.ts';

/** The part of an attempt that shows whose fault a failure is. */
export interface TriedOn {
  host: string;
  outcome: string | null;
  counted: boolean;
}

export type Suspect = 'run' | 'host' | 'common' | 'unclear';

/** Whether the run or the host is the cause of its failures. */
export interface HostOrRun {
  blame: Suspect;
  /** One sentence: the answer. */
  says: string;
  /** The facts behind the answer, one sentence each. */
  because: string[];
  /** What a person can do next; null: nothing. */
  advice: string | null;
}

/** From this number of other runs on, a failure is not due to one run. */
const COMMON_RUNS = 3;

/**
 * Answers whether the host or the run is at fault. Null for a run without counted failures.
 * @param group - recent failures that are like its newest one; null: unknown
 * @param scores - success of each host in the last day, compared with the others
 */
export function hostOrRun(
  attempts: readonly TriedOn[],
  group: FailureGroup | null,
  scores: readonly HostScore[],
): HostOrRun | null {
  const failed = tally(attempts.filter((attempt) => attempt.counted));
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
  const succeedsElsewhere = [...succeeded.keys()].some((host) => !failed.has(host));
  const isCommon = group !== null && others >= COMMON_RUNS && group.hosts.length > 1;
  if (suspect === null) return { ...(isCommon ? COMMON : THE_RUN), because };
  if (succeedsElsewhere || isOnlyOf(group, suspect)) return { ...theHost(suspect), because };
  if (isCommon) return { ...COMMON, because };
  return { ...(isWorse ? theHost(suspect) : onlyTriedOn(suspect)), because };
}

type Verdict = Omit<HostOrRun, 'because'>;

const COMMON: Verdict = {
  blame: 'common',
  says: 'Neither: many runs on several hosts have the same failure.',
  advice: 'Check what the hosts share: software, calibration, database, disk.',
};

const THE_RUN: Verdict = {
  blame: 'run',
  says: 'The run: it fails wherever it is tried.',
  advice: 'Check its data and its traceback; another host will not help.',
};

function theHost(host: string): Verdict {
  return {
    blame: 'host',
    says: `The host ${short(host)} is at fault, probably; not the run.`,
    advice: `Drain ${short(host)}; the run is then tried on another host.`,
  };
}

function onlyTriedOn(host: string): Verdict {
  return {
    blame: 'unclear',
    says: `Not known yet: only ${short(host)} has tried it.`,
    advice: 'The next attempt on another host will show it.',
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
    .map(([host, count]) => `${short(host)}${count > 1 ? ` (${counted(count, 'time')})` : ''}`)
    .join(', ');
}

function sameCause({ hosts }: FailureGroup, others: number): string {
  if (others === 0) return 'No other run has failed for the same cause.';
  const where =
    hosts.length === 1 ? `all on ${short(hosts[0] ?? '')}` : `on ${counted(hosts.length, 'host')}`;
  return `${others === 1 ? 'One other run has' : `${others} other runs have`} failed for the same cause, ${where}.`;
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
