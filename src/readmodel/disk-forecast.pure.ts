/** How full a disk was at a time. */
export interface DiskPoint {
  /** Ms since 1970. */
  atMs: number;
  usedPercent: number;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** A straight line through less time than this says nothing. */
const LEAST_SPAN_MS = 8 * MINUTE_MS;
/** Further away than this is not soon. */
const HORIZON_HOURS = 72;

/**
 * Hours until the disk has reached `limitPercent`, by a straight line through the points; 0 if it has;
 * null if it does not fill up within three days, or too little is known.
 */
export function hoursUntilFull(points: readonly DiskPoint[], limitPercent: number): number | null {
  const newest = points.reduce<DiskPoint | null>(
    (last, point) => (last === null || point.atMs > last.atMs ? point : last),
    null,
  );
  if (newest === null) return null;
  if (newest.usedPercent >= limitPercent) return 0;
  const oldestMs = Math.min(...points.map(({ atMs }) => atMs));
  if (newest.atMs - oldestMs < LEAST_SPAN_MS) return null;
  const slope = slopePerHour(points);
  if (!(slope > 0)) return null;
  const hours = (limitPercent - newest.usedPercent) / slope;
  return hours <= HORIZON_HOURS ? hours : null;
}

/** Least squares. */
function slopePerHour(points: readonly DiskPoint[]): number {
  const meanMs = mean(points.map(({ atMs }) => atMs));
  const meanUsed = mean(points.map(({ usedPercent }) => usedPercent));
  let above = 0;
  let below = 0;
  for (const { atMs, usedPercent } of points) {
    const hours = (atMs - meanMs) / HOUR_MS;
    above += hours * (usedPercent - meanUsed);
    below += hours * hours;
  }
  return below === 0 ? 0 : above / below;
}

function mean(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
}
