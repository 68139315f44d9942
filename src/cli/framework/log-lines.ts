import pino from 'pino';

import { RENAMED_EVENT_HOOKS } from '../../infra/renamed/renamed-events.ts';
import { style } from './output.ts';

const LEVELS: Record<number, { name: string; colour: Parameters<typeof style>[0] }> = {
  10: { name: 'trace', colour: 'dim' },
  20: { name: 'debug', colour: 'dim' },
  30: { name: 'info', colour: 'green' },
  40: { name: 'warning', colour: 'yellow' },
  50: { name: 'error', colour: 'red' },
  60: { name: 'fatal', colour: 'red' },
};

/** A destination for log lines that shows them to a person: time, level, message. */
export function humanLines(stream: NodeJS.WritableStream): { write: (line: string) => void } {
  return {
    write: (line) => {
      stream.write(`${humanLine(line)}\n`);
    },
  };
}

/** One JSON log line in words; a line that is none stays as it is. */
export function humanLine(line: string): string {
  let record: { level?: number; time?: string; msg?: string; err?: { stack?: string } };
  try {
    record = JSON.parse(line) as typeof record;
  } catch {
    return line.trimEnd();
  }
  const time = record.time === undefined ? '' : new Date(record.time).toLocaleTimeString('sv');
  const level = LEVELS[record.level ?? 30] ?? { name: 'info', colour: 'green' };
  const name = style(level.colour, level.name.padEnd(7));
  const stack = record.err?.stack === undefined ? '' : `\n${record.err.stack}`;
  return `${style('dim', time)} ${name} ${record.msg ?? ''}${stack}`;
}

/** JSON lines, or lines for a person on a terminal. */
export function makeLogger(
  asJson: boolean,
  stream: NodeJS.WriteStream & { fd: number } = process.stdout,
): pino.Logger {
  const base = { pid: process.pid };
  const options: pino.LoggerOptions = {
    ...{ base, timestamp: pino.stdTimeFunctions.isoTime },
    hooks: RENAMED_EVENT_HOOKS,
  };
  if (asJson || !stream.isTTY) {
    // Written at once: the line that explains a death must not be lost with the process.
    return pino(options, pino.destination({ dest: stream.fd, sync: true }));
  }
  return pino(options, humanLines(stream));
}
