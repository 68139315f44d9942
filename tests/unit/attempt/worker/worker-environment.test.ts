import { expect, test } from 'vitest';

import { workerEnvironment } from '../../../../src/attempt/worker/worker-environment.ts';

const FOLDERS = {
  workerDirectory: '/package/worker',
  pythonPath: null,
  cacheDirectory: '/state/cache',
};

test('the worker is found first, threads of libraries are off, the rest stays', () => {
  const base = { PATH: '/bin', PYTHONPATH: '/mine', OMP_NUM_THREADS: '8' };
  expect(workerEnvironment(base, FOLDERS)).toMatchObject({
    PATH: '/bin',
    PYTHONPATH: '/package/worker:/mine',
    OMP_NUM_THREADS: '1',
    OPENBLAS_NUM_THREADS: '1',
    MPLCONFIGDIR: '/state/cache/matplotlib',
    XDG_CACHE_HOME: '/state/cache',
  });
  expect(workerEnvironment({ XDG_CACHE_HOME: '/mine' }, FOLDERS).XDG_CACHE_HOME).toBe('/mine');
  expect(workerEnvironment({}, FOLDERS).PYTHONPATH).toBe('/package/worker');
  const ofSite = { ...FOLDERS, pythonPath: '/site' };
  expect(workerEnvironment(base, ofSite).PYTHONPATH).toBe('/package/worker:/site:/mine');
});
