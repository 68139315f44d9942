import { itemSeen } from './seen.pure.ts';

/** The acknowledgement of an item. Times are ISO 8601, UTC. */
export interface Acknowledged {
  by: string;
  /** The reason; it may contain a link. */
  reason: string;
  at: string;
  /** When it ends by itself; null: when the item is gone. */
  expires: string | null;
}

/** The newest acknowledgement of an item, as it is stored. */
export interface Standing extends Acknowledged {
  item: string;
  /** Id of the action. */
  action: string;
  /** The occurrence that was acknowledged: the same item may occur again. */
  occurrence: string;
}

export type Standings = ReadonlyMap<string, Standing>;

/** The fields of an item that actions need. */
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
