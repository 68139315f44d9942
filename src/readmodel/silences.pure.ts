/** A time without a heartbeat of a host; seconds since 1970 UTC. */
export interface Silence {
  /** Its last heartbeat before. */
  from: number;
  /** The first one after; null: it lasts. */
  to: number | null;
}

export interface SilenceLimits {
  /** Heartbeats that are kept for days are this far apart. */
  keptEverySeconds: number;
  /** A host that has sent none for longer is taken for dead. */
  presumedDeadSeconds: number;
}

/**
 * When a host was silent, from its heartbeats at these times, in their order, seconds since 1970 UTC. Before now only
 * silences longer than two kept heartbeats can be told from thinned ones.
 */
export function silencesOf(
  at: readonly number[],
  nowSeconds: number,
  { keptEverySeconds, presumedDeadSeconds }: SilenceLimits,
): Silence[] {
  const silences: Silence[] = [];
  for (const [i, from] of at.entries()) {
    const next = at[i + 1];
    if (next === undefined) {
      if (nowSeconds - from > presumedDeadSeconds) silences.push({ from, to: null });
    } else if (next - from > Math.max(2 * keptEverySeconds, presumedDeadSeconds)) {
      silences.push({ from, to: next });
    }
  }
  return silences;
}
