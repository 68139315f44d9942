/** For people: `2026-03-01 12:00:00`, UTC, to the second. */
export function utcToTheSecond(date: Date): string {
  return date.toISOString().slice(0, 19).replace('T', ' ');
}
