import { join } from 'node:path';
import { packageDirectory } from '../config/paths.ts';

/** This process's environment with the worker's package on Python's path. */
export function workerEnvironment(): NodeJS.ProcessEnv {
  const path = [join(packageDirectory(), 'worker'), process.env['PYTHONPATH'] ?? ''];
  return { ...process.env, PYTHONPATH: path.filter((part) => part !== '').join(':') };
}
