import { delimiter } from 'node:path';

const THREAD_VARIABLES = [
  'OPENBLAS_NUM_THREADS',
  'OMP_NUM_THREADS',
  'MKL_NUM_THREADS',
  'NUMEXPR_NUM_THREADS',
  'VECLIB_MAXIMUM_THREADS',
  'BLOSC_NTHREADS',
];

/**
 * Environment of a worker process: the worker's package can be imported, and no library starts
 * threads of its own (a process with threads is not safe to fork).
 */
export function workerEnvironment(
  base: NodeJS.ProcessEnv,
  workerDirectory: string,
): NodeJS.ProcessEnv {
  const path = [workerDirectory, base.PYTHONPATH].filter((part) => part !== undefined && part !== '');
  return {
    ...base,
    ...Object.fromEntries(THREAD_VARIABLES.map((name) => [name, '1'])),
    PYTHONPATH: path.join(delimiter),
  };
}
