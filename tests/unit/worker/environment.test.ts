import { expect, test } from 'vitest';

import { workerEnvironment } from '../../../src/worker/environment.ts';

test('the worker is found first, threads of libraries are off, the rest stays', () => {
  const base = { PATH: '/bin', PYTHONPATH: '/mine', OMP_NUM_THREADS: '8' };
  expect(workerEnvironment(base, '/package/worker')).toMatchObject({
    PATH: '/bin',
    PYTHONPATH: '/package/worker:/mine',
    OMP_NUM_THREADS: '1',
    OPENBLAS_NUM_THREADS: '1',
  });
  expect(workerEnvironment({}, '/package/worker').PYTHONPATH).toBe('/package/worker');
});
