import type { Environment } from './environment.ts';

/** A full, read-only, broken, unmounted or unreachable disk: this host's trouble, no run's and no mistake. */
const CODES = new Set([
  'ENOSPC',
  'EDQUOT',
  'EROFS',
  'EXDEV',
  'EIO',
  'EACCES',
  'EPERM',
  'ESTALE',
  'ENOENT',
  'ENODEV',
  'ENXIO',
  'ENOTCONN',
  'EHOSTDOWN',
]);

export function isDiskTrouble(error: unknown): error is NodeJS.ErrnoException {
  const code = (error as NodeJS.ErrnoException | null)?.code;
  return error instanceof Error && code !== undefined && CODES.has(code);
}

/**
 * Does something on disk that housekeeping does again later if the disk refuses it now; false if it
 * did. `what` completes "cannot ...".
 */
export async function unlessDiskTrouble(
  env: Pick<Environment, 'log'>,
  what: string,
  work: () => Promise<unknown>,
): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    if (!isDiskTrouble(error)) throw error;
    env.log.error(
      { event: 'disk.trouble', what, code: error.code },
      `cannot ${what}: ${error.message}; it is tried again`,
    );
    return false;
  }
}
