import { hostSeen } from '../features/actions/seen.pure.ts';
import type { HostView } from '../host/host-document.pure.ts';
import { twoManagers } from '../exclusion/two-managers.pure.ts';
import { hoursUntilFull, type DiskPoint } from './disk-forecast.pure.ts';

/** What a host does, in one word. */
export type HostCondition = 'busy' | 'idle' | 'blocked' | 'drained' | 'quarantined' | 'silent';

/** One life sign, as far as it is shown. Percent. */
export interface Sign {
  host: string;
  atMs: number;
  cpuPercent: number | null;
  memoryPercent: number | null;
  swapPercent: number | null;
  diskPercent: number | null;
  /** Of the disk of the live data. */
  liveDiskPercent: number | null;
  /** Processes that run or want to, on average over a minute. */
  load: number | null;
  /** How far the host's clock is ahead of the database server's, seconds. */
  clockSkewSeconds: number | null;
  targets: readonly string[];
  cores: number | null;
  /** The manager that gave it; null: another program. */
  writer: string | null;
}

/** A host as the dashboard shows it. No field depends on when it is looked at. */
export interface HostCard extends Omit<HostView, 'state' | 'ageSeconds'> {
  condition: HostCondition;
  /** Newest life sign of either kind; ISO 8601, UTC. */
  lastSign: string;
  cpuPercent: number | null;
  memoryPercent: number | null;
  swapPercent: number | null;
  diskPercent: number | null;
  /** Above this the host takes no runs, percent. */
  diskLimitPercent: number;
  /** Null: not within three days. */
  diskFullInHours: number | null;
  /** The same of the disk of the live data, as this host sees it. */
  liveDiskPercent: number | null;
  liveDiskFullInHours: number | null;
  load: number | null;
  clockSkewSeconds: number | null;
  /** Two managers of this name live at the same time. */
  twoManagers: [string, string] | null;
  /** For actions: they land only while it is still so. */
  seen: string;
}

/** Life signs of one look are no further apart. */
const ONE_LOOK_MS = 60_000;
/** The data acquisition writes there until nothing is left. */
const LIVE_DISK_LIMIT_PERCENT = 99;

/** The card of a host from its document and its newest life signs. */
export function hostCard(
  view: HostView,
  signs: readonly Sign[],
  limits: { diskPercent: number; presumedDeadSeconds: number },
  now: Date,
): HostCard {
  const newest = signs.reduce<Sign | null>(
    (last, sign) => (last === null || sign.atMs > last.atMs ? sign : last),
    null,
  );
  const lastMs = Math.max(Date.parse(view.time), newest?.atMs ?? 0);
  const points = (of: 'diskPercent' | 'liveDiskPercent'): DiskPoint[] =>
    signs
      // Of the newest look one counts, as of those before.
      .filter((sign) => sign === newest || lastMs - sign.atMs > ONE_LOOK_MS)
      .flatMap(({ atMs, [of]: usedPercent }) =>
        usedPercent === null ? [] : [{ atMs, usedPercent }],
      );
  const { state: _state, ageSeconds: _age, ...said } = view;
  const silent = (now.getTime() - lastMs) / 1000 > limits.presumedDeadSeconds;
  return {
    ...said,
    accepting: !silent && view.accepting,
    condition: silent ? 'silent' : hostCondition(view),
    lastSign: new Date(lastMs).toISOString(),
    cpuPercent: newest?.cpuPercent ?? null,
    memoryPercent: newest?.memoryPercent ?? null,
    swapPercent: newest?.swapPercent ?? null,
    diskPercent: newest?.diskPercent ?? null,
    diskLimitPercent: limits.diskPercent,
    diskFullInHours: hoursUntilFull(points('diskPercent'), limits.diskPercent),
    liveDiskPercent: newest?.liveDiskPercent ?? null,
    liveDiskFullInHours: hoursUntilFull(points('liveDiskPercent'), LIVE_DISK_LIMIT_PERCENT),
    load: newest?.load ?? null,
    clockSkewSeconds: newest?.clockSkewSeconds ?? null,
    twoManagers: twoManagers(signs),
    seen: hostSeen(view.drained),
  };
}

/** Of a host that gives life signs. */
export function hostCondition({ whyNotKind, whyNot, runs }: HostView): HostCondition {
  if (whyNotKind === 'quarantine') return 'quarantined';
  if (whyNotKind === 'drained') return 'drained';
  if (runs.length > 0) return 'busy';
  return whyNot === null ? 'idle' : 'blocked';
}

/** Runs that succeeded or failed on one host in a time, beside those of all others. */
export interface HostScore {
  host: string;
  succeeded: number;
  failed: number;
  /** Share of successes, 0 to 1; null without runs. */
  share: number | null;
  othersShare: number | null;
  /** So far below the others that it is hardly chance. */
  worse: boolean;
}

/**
 * Success of each host against all others together. A run counts once a host, however often it was
 * tried there: ten attempts at one bad run say no more of the host than one.
 */
export function hostScores(
  attempts: readonly { run: number; host: string; outcome: string; counted: boolean }[],
): HostScore[] {
  const runs = new Map<string, { succeeded: Set<number>; failed: Set<number> }>();
  for (const { run, host, outcome, counted } of attempts) {
    const score = runs.get(host) ?? { succeeded: new Set(), failed: new Set() };
    if (outcome === 'done') score.succeeded.add(run);
    else if (counted) score.failed.add(run);
    runs.set(host, score);
  }
  const tally = new Map(
    [...runs].map(([host, { succeeded, failed }]) => [
      host,
      { succeeded: succeeded.size, failed: failed.size },
    ]),
  );
  const sum = (of: 'succeeded' | 'failed') =>
    [...tally.values()].reduce((total, score) => total + score[of], 0);
  const all = { succeeded: sum('succeeded'), failed: sum('failed') };
  return [...tally]
    .map(([host, own]) => {
      const others = {
        succeeded: all.succeeded - own.succeeded,
        failed: all.failed - own.failed,
      };
      return {
        host,
        ...own,
        share: shareOf(own),
        othersShare: shareOf(others),
        worse: isWorse(own, others),
      };
    })
    .sort((a, b) => a.host.localeCompare(b.host));
}

function shareOf({ succeeded, failed }: { succeeded: number; failed: number }): number | null {
  return succeeded + failed === 0 ? null : succeeded / (succeeded + failed);
}

const LEAST_RUNS = 3;
const SIGMAS = 2;

/** The difference of two shares against its standard error. */
function isWorse(
  own: { succeeded: number; failed: number },
  others: { succeeded: number; failed: number },
): boolean {
  const n = own.succeeded + own.failed;
  const m = others.succeeded + others.failed;
  if (n < LEAST_RUNS || m < LEAST_RUNS) return false;
  const pooled = (own.succeeded + others.succeeded) / (n + m);
  const error = Math.sqrt(pooled * (1 - pooled) * (1 / n + 1 / m));
  return others.succeeded / m - own.succeeded / n > SIGMAS * error && error > 0;
}
