import { CRASH_POINTS, type CrashPoint } from './points.ts';

/** Environment variable that names the crash point at which a test kills the process. */
export const CRASH_VARIABLE = 'BOOTSTRAX_CRASH_AT';

/** Where a process is to be killed. */
export interface Cut {
  point: CrashPoint;
  /** At which passage of this process, counted from 1. */
  passage: number;
}

let cut: Cut | null | undefined;
let passages = 0;

/**
 * Reads `<point>` or `<point>#<passage>`: `runs.conclude:before`, `progress.ndjson:after#3`. Null if
 * nothing is to be cut. Throws an error that names the variable on anything else.
 */
export function cutOf(text: string | undefined): Cut | null {
  if (text === undefined || text === '') return null;
  const [, name, count] = /^([^#]+)(?:#([1-9]\d*))?$/.exec(text) ?? [];
  const point = CRASH_POINTS.find((known) => known === name);
  if (point === undefined) {
    throw new Error(
      `${CRASH_VARIABLE} is "${text}", which is no crash point; ` +
        `give one of them, or one with a passage such as ${CRASH_POINTS[0] ?? ''}#2: ${CRASH_POINTS.join(', ')}`,
    );
  }
  return { point, passage: Number(count ?? 1) };
}

/**
 * Kills this process, as a power cut would, if `BOOTSTRAX_CRASH_AT` names this point and this is the
 * passage meant. A line on standard error says so: a test must know that the point was reached.
 */
export function crashPoint(point: CrashPoint): void {
  if (cut === undefined) cut = cutOf(process.env[CRASH_VARIABLE]);
  if (cut?.point !== point) return;
  passages += 1;
  if (passages !== cut.passage) return;
  process.stderr.write(`crash point ${point}: killed here\n`);
  process.kill(process.pid, 'SIGKILL');
}
