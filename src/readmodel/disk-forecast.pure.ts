/** Use of a disk at one time. */
export interface DiskPoint {
  /** Milliseconds since 1970. */
  atMs: number;
  usedPercent: number;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** A shorter span of points allows no forecast. */
const LEAST_SPAN_MS = 8 * MINUTE_MS;
/** Forecasts reach this far. */
const HORIZON_HOURS = 72;

/**
 * Hours until the disk reaches `limitPercent`, by a straight line through the points. 0: it has reached
 * it. Null: it does not within three days, or the points are too few.
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

/** Slope of the line of least squares, percent per hour. */
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
