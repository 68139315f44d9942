import type { LimitRules } from '../infra/config/rules.pure.ts';

/** What this host has seen of a run of another holder, in seconds of its own monotonic clock. */
export interface Observation {
  state: 'considering' | 'busy';
  attempt: string | null;
  /** `bootstrax.time` in ms since 1970 as last seen; null where the document has none. */
  timeMs: number | null;
  /** Since when state, attempt and time have been seen unchanged. */
  unchangedSinceSeconds: number;
  /** How often the time changed while the run was `considering` without an attempt. */
  furtherClaims: number;
}

/** After this number of further claims it is clear that no claim of the run gets any further. */
const MOST_FURTHER_CLAIMS = 3;

export type Staleness = { kind: 'fresh'; staleInSeconds: number } | { kind: 'stale' };

/** Adds a reading of the run; `previous` null: the first one. */
export function observe(
  previous: Observation | null,
  seen: Omit<Observation, 'unchangedSinceSeconds' | 'furtherClaims'>,
  nowSeconds: number,
): Observation {
  const unchanged =
    previous !== null &&
    previous.state === seen.state &&
    previous.attempt === seen.attempt &&
    previous.timeMs === seen.timeMs;
  const isOneClaimAfterAnother =
    previous?.state === 'considering' &&
    seen.state === 'considering' &&
    previous.attempt === null &&
    seen.attempt === null;
  return {
    ...seen,
    unchangedSinceSeconds: unchanged ? previous.unchangedSinceSeconds : nowSeconds,
    furtherClaims: isOneClaimAfterAnother ? previous.furtherClaims + (unchanged ? 0 : 1) : 0,
  };
}

/**
 * Whether managers of the reference claim the run again and again and crash on it. They write the time
 * of a claim once; another time means that one of them took it over from another as stale. The last of
 * them had a part of its lease to get further.
 */
export function isPassedAround(
  { furtherClaims, unchangedSinceSeconds }: Observation,
  nowSeconds: number,
  limits: LimitRules,
): boolean {
  const unchangedSeconds = nowSeconds - unchangedSinceSeconds;
  return (
    furtherClaims >= MOST_FURTHER_CLAIMS && unchangedSeconds >= limits.consideringLeaseSeconds / 3
  );
}

/**
 * Whether this host has seen the holder of a run silent for the whole lease. Time during which the
 * database was away does not count: then no heartbeat could be written.
 * `connectedSinceSeconds`: since when the database has been reachable without a break.
 */
export function staleness(
  observation: Observation,
  connectedSinceSeconds: number,
  nowSeconds: number,
  limits: LimitRules,
): Staleness {
  const lease =
    observation.state === 'busy' ? limits.busyLeaseSeconds : limits.consideringLeaseSeconds;
  const since = Math.max(observation.unchangedSinceSeconds, connectedSinceSeconds);
  const left = lease - (nowSeconds - since);
  return left < 0 ? { kind: 'stale' } : { kind: 'fresh', staleInSeconds: left };
}
