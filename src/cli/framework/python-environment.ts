import { join } from 'node:path';

import { workerEnvironment } from '../../attempt/worker/worker-environment.ts';
import type { Settings } from '../../infra/config/entries.ts';
import { packageDirectory } from '../../infra/config/paths.ts';

/** This process's environment for a Python of its own, with the worker's package. */
export function pythonEnvironment({ paths, worker }: Settings): NodeJS.ProcessEnv {
  return workerEnvironment(process.env, {
    workerDirectory: join(packageDirectory(), 'worker'),
    pythonPath: worker.pythonPath,
    cacheDirectory: join(paths.stateDir, 'cache'),
  });
}
