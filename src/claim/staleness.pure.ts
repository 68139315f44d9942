import type { LimitRules } from '../infra/config/rules.pure.ts';

/** What this host has seen of a foreign run, on its own monotonic clock, seconds. */
export interface Observation {
  state: 'considering' | 'busy';
  attempt: string | null;
  /** `bootstrax.time` in ms since 1970 as last seen; null where the document has none. */
  timeMs: number | null;
  /** Since when state, attempt and time have been seen unchanged. */
  unchangedSinceSeconds: number;
  /** How often another time was seen while it stood as considered, without an attempt. */
  handedOn: number;
}

/** So many further claims of a run show that those who claim it never get further. */
const HANDED_ON = 3;

export type Staleness = { kind: 'fresh'; staleInSeconds: number } | { kind: 'stale' };

/** Takes a new look into account; `previous` null: the first look. */
export function observe(
  previous: Observation | null,
  seen: Omit<Observation, 'unchangedSinceSeconds' | 'handedOn'>,
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
    handedOn: isOneClaimAfterAnother ? previous.handedOn + (unchanged ? 0 : 1) : 0,
  };
}

/**
 * Is the run claimed again and again by managers of the reference that crash on it? They give a
 * claim its time once; another time means that one of them has taken it, as stale, from another.
 * The last of them has had a part of its lease to show that it gets further.
 */
export function isPassedAround(
  { handedOn, unchangedSinceSeconds }: Observation,
  nowSeconds: number,
  limits: LimitRules,
): boolean {
  const unchangedSeconds = nowSeconds - unchangedSinceSeconds;
  return handedOn >= HANDED_ON && unchangedSeconds >= limits.consideringLeaseSeconds / 3;
}

/**
 * Has the owner of a run been silent for the whole lease, before the eyes of this host? Time during
 * which the database was away does not count: then nobody could write a heartbeat.
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
