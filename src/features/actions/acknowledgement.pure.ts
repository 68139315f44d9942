import { itemSeen } from './seen.pure.ts';

/** Somebody has taken it on. Times ISO 8601, UTC. */
export interface Acknowledged {
  by: string;
  /** May carry a link. */
  reason: string;
  at: string;
  /** When it ends by itself; null: when it does not occur any more. */
  expires: string | null;
}

/** The newest acknowledgement of an item, as it is kept. */
export interface Standing extends Acknowledged {
  item: string;
  /** Id of the action. */
  action: string;
  /** What had occurred: the same item may occur again. */
  occurrence: string;
}

export type Standings = ReadonlyMap<string, Standing>;

/** What an item shows of itself to those who act on it. */
export function itemMarks(
  key: string,
  occurrence: string,
  standings: Standings,
  now: Date,
): { key: string; seen: string; acknowledged: Acknowledged | null } {
  const standing = standings.get(key);
  const seen = itemSeen(occurrence, standing?.action ?? null);
  if (standing === undefined || standing.occurrence !== occurrence || hasEnded(standing, now)) {
    return { key, seen, acknowledged: null };
  }
  const { by, reason, at, expires } = standing;
  return { key, seen, acknowledged: { by, reason, at, expires } };
}

function hasEnded({ expires }: Standing, now: Date): boolean {
  return expires !== null && Date.parse(expires) <= now.getTime();
}
