/**
 * Where the power may be cut in a test: with `BOOTSTRAX_CRASH_AT=<name>` the process that reaches
 * that point is killed there, as by a power cut. Each name is listed here, so that a test can cut
 * at every one of them and a misspelt one is an error.
 */

/** Files written by `writeFileDurable` whose writing has a point before and after. */
const DURABLE_FILES = ['plan.json', 'superseded', 'concluded'] as const;

/** Steps of the manager, in the order of a run's way. Add a step here where it is cut. */
const STEPS = ['leftover:renamed', 'leftover:removed', 'attempt:removed'] as const;

type DurableFile = (typeof DURABLE_FILES)[number];
export type CrashPoint = `${DurableFile}:before` | `${DurableFile}:after` | (typeof STEPS)[number];

/** All crash points there are. */
export const CRASH_POINTS: readonly CrashPoint[] = [
  ...DURABLE_FILES.flatMap((file) => [`${file}:before`, `${file}:after`] as const),
  ...STEPS,
];

/** Kills this process if the test environment says that the power is cut here. */
export function crashPoint(name: CrashPoint): void {
  if (process.env['BOOTSTRAX_CRASH_AT'] === name) process.kill(process.pid, 'SIGKILL');
}

/** The crash point beside a durable write of a file of that name, if it has one. */
export function crashPointOf(fileName: string, when: 'before' | 'after'): CrashPoint | null {
  const file = DURABLE_FILES.find((name) => name === fileName);
  return file === undefined ? null : `${file}:${when}`;
}
