/** How long ago that was, seconds; never negative. */
export function secondsSince(ms: number, now: Date): number {
  return Math.max(0, (now.getTime() - ms) / 1000);
}
