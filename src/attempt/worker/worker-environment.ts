import { delimiter, join } from 'node:path';

const THREAD_VARIABLES = [
  'OPENBLAS_NUM_THREADS',
  'OMP_NUM_THREADS',
  'MKL_NUM_THREADS',
  'NUMEXPR_NUM_THREADS',
  'VECLIB_MAXIMUM_THREADS',
  'BLOSC_NTHREADS',
];

export interface WorkerFolders {
  /** Holds the package `bootstrax_worker`. */
  workerDirectory: string;
  /** Holds the site's own modules, such as its context; null where they are installed. */
  pythonPath: string | null;
  /** Where libraries may keep caches. */
  cacheDirectory: string;
}

/**
 * Environment of a worker process: the worker's package can be imported, and no library starts
 * threads of its own (a process with threads is not safe to fork).
 */
export function workerEnvironment(
  base: NodeJS.ProcessEnv,
  { workerDirectory, pythonPath, cacheDirectory }: WorkerFolders,
): NodeJS.ProcessEnv {
  const path = [workerDirectory, pythonPath, base.PYTHONPATH].filter(
    (part) => part !== undefined && part !== null && part !== '',
  );
  return {
    // straxen imports matplotlib, which otherwise leaves its caches in the user's home.
    MPLCONFIGDIR: join(cacheDirectory, 'matplotlib'),
    // strax's compiled functions are kept beside its source or, where that cannot be written, in
    // the user's home; it cannot even be imported where neither can.
    XDG_CACHE_HOME: cacheDirectory,
    ...base,
    ...Object.fromEntries(THREAD_VARIABLES.map((name) => [name, '1'])),
    PYTHONPATH: path.join(delimiter),
  };
}
