/** All recent heartbeats, and the thinned ones from before the oldest of them; newest first. */
export function withOlder<T extends { time: Date }>(
  recent: readonly T[],
  thinned: readonly T[],
): T[] {
  const oldestMs = recent.reduce((least, { time }) => Math.min(least, time.getTime()), Infinity);
  return [...recent, ...thinned.filter(({ time }) => time.getTime() < oldestMs)].sort(
    (a, b) => b.time.getTime() - a.time.getTime(),
  );
}

/**
 * At most one heartbeat for each of `most` equal time spans up to `toMs`, the last of each, so that dense
 * and sparse parts are drawn alike. In order of time.
 */
export function evenly<T extends { atMs: number }>(
  signs: readonly T[],
  span: { fromMs: number; toMs: number },
  most: number,
): T[] {
  const widthMs = Math.max(1, (span.toMs - span.fromMs) / most);
  const last = new Map<number, T>();
  for (const sign of signs) {
    const place = Math.min(most - 1, Math.max(0, Math.floor((sign.atMs - span.fromMs) / widthMs)));
    const known = last.get(place);
    if (known === undefined || sign.atMs >= known.atMs) last.set(place, sign);
  }
  return [...last.values()].sort((a, b) => a.atMs - b.atMs);
}
