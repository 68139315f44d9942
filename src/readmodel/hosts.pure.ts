import { twoManagers } from '../exclusion/two-managers.pure.ts';
import { hostSeen } from '../features/actions/seen.pure.ts';
import type { HostView } from '../host/host-document.pure.ts';
import { type DiskPoint, hoursUntilFull } from './disk-forecast.pure.ts';

/** The condition of a host, in one word. */
export type HostCondition = 'busy' | 'idle' | 'blocked' | 'drained' | 'quarantined' | 'silent';

/** The part of one heartbeat that is shown. */
export interface Sign {
  host: string;
  atMs: number;
  cpuPercent: number | null;
  memoryPercent: number | null;
  swapPercent: number | null;
  diskPercent: number | null;
  /** Use of the disk of the live data. */
  liveDiskPercent: number | null;
  /** Processes that run or wait for a core, on average over a minute. */
  load: number | null;
  /** How far the host's clock is ahead of the database server's. */
  clockSkewSeconds: number | null;
  targets: readonly string[];
  cores: number | null;
  /** The manager that wrote it; null: another program. */
  writer: string | null;
}

/** A host as the dashboard shows it. No field depends on the time of the reading. */
export interface HostCard extends Omit<HostView, 'state' | 'ageSeconds'> {
  condition: HostCondition;
  /** Newest heartbeat, in `eb_monitor` or the host's document; ISO 8601, UTC. */
  lastSign: string;
  cpuPercent: number | null;
  memoryPercent: number | null;
  swapPercent: number | null;
  diskPercent: number | null;
  /** Above this the host takes no runs. */
  diskLimitPercent: number;
  /** Null: it is not full within three days. */
  diskFullInHours: number | null;
  /** Use of the disk of the live data, as this host measures it. */
  liveDiskPercent: number | null;
  liveDiskFullInHours: number | null;
  load: number | null;
  clockSkewSeconds: number | null;
  /** Two managers that use the name of this host at the same time. */
  twoManagers: [string, string] | null;
  /** What a person saw: an action lands only while it is still the same. */
  seen: string;
}

/** Heartbeats of one reading are no further apart. */
const ONE_READING_MS = 60_000;
/** The DAQ writes to that disk until it is full. */
const LIVE_DISK_LIMIT_PERCENT = 99;

const NOT_MEASURED = {
  ...{ cpuPercent: null, memoryPercent: null, swapPercent: null, load: null },
  ...{ diskPercent: null, liveDiskPercent: null, clockSkewSeconds: null },
};

function measuredBy(sign: Sign | null): Pick<Sign, keyof typeof NOT_MEASURED> {
  if (sign === null) return NOT_MEASURED;
  const { cpuPercent, memoryPercent, swapPercent, load } = sign;
  const { diskPercent, liveDiskPercent, clockSkewSeconds } = sign;
  return {
    ...{ cpuPercent, memoryPercent, swapPercent, load },
    ...{ diskPercent, liveDiskPercent, clockSkewSeconds },
  };
}

/** The card of a host from its document and its newest heartbeats. */
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
      // One heartbeat of the newest reading counts, as for those before.
      .filter((sign) => sign === newest || lastMs - sign.atMs > ONE_READING_MS)
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
    ...measuredBy(newest),
    diskLimitPercent: limits.diskPercent,
    diskFullInHours: hoursUntilFull(points('diskPercent'), limits.diskPercent),
    liveDiskFullInHours: hoursUntilFull(points('liveDiskPercent'), LIVE_DISK_LIMIT_PERCENT),
    twoManagers: twoManagers(signs),
    seen: hostSeen(view.drained),
  };
}

/** The condition of a host that is not silent. */
export function hostCondition({ whyNotKind, whyNot, runs }: HostView): HostCondition {
  if (whyNotKind === 'quarantine') return 'quarantined';
  if (whyNotKind === 'drained') return 'drained';
  if (runs.length > 0) return 'busy';
  return whyNot === null ? 'idle' : 'blocked';
}

/** Runs that succeeded or failed on one host in a time span, compared with all others. */
export interface HostScore {
  host: string;
  succeeded: number;
  failed: number;
  /** Fraction of runs that succeeded, 0 to 1; null without runs. */
  share: number | null;
  othersShare: number | null;
  /** Further below the others than chance explains. */
  worse: boolean;
}

/**
 * Success of each host, compared with all others together. A run counts once per host: ten attempts at
 * one bad run say no more about the host than one.
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

/** Compares the difference of two fractions with its standard error. */
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
