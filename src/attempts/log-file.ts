import { watch } from 'node:fs';
import { open, rename, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

const READ_BYTES = 64 * 1024;
/** Beside the kernel's notice of a change, which may be lost, seconds. */
const POLL_SECONDS = 2;

/** The last lines of a log, oldest first; a log that is not there yet has none. */
export async function lastLines(path: string, count: number): Promise<string[]> {
  void path;
  void count;
  return Promise.reject(new Error('lastLines'));
}

/**
 * The text of a log from byte `from` on (default: its present end) as it grows, in pieces of whole
 * characters, until `signal` is aborted. Waits for the log if it is not there yet.
 */
// eslint-disable-next-line
export async function* followLog(
  path: string,
  signal: AbortSignal,
  from?: number,
): AsyncGenerator<string, void, void> {
  throw new Error('followLog');
}

/** Shortens a log to its last `maxBytes` bytes, from a line's beginning, with a line that says so. */
export async function boundLog(path: string, maxBytes: number): Promise<void> {
  void path;
  void maxBytes;
  return Promise.reject(new Error('boundLog'));
}
