import { readFileSync } from 'node:fs';

/** Text of a file of /proc or /sys; null if it cannot be read, as when the process is gone. */
export function readKernelFile(path: string): string | null {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return null;
  }
}
