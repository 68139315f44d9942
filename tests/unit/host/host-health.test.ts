import { describe, expect, test } from 'vitest';

import { diskProblem } from '../../../src/host/host-health.ts';
import { defaultRules } from '../../../src/infra/config/rules.pure.ts';

const TIB = 2 ** 40;
const space = (usedPercent: number, freeBytes: number) => ({
  usedPercent,
  freeBytes,
  totalBytes: 100 * TIB,
});

describe('the disk rule: used strictly below 95 %, and strictly more than 1 TiB free', () => {
  test.each([
    [94.9, 2 * TIB, null],
    [95, 2 * TIB, '95 %'],
    [50, TIB, 'GB free'],
    [50, TIB + 1, null],
    [99, 0, '99.0 % full'],
  ])('%f %% used, %d bytes free', (used, free, problem) => {
    const said = diskProblem('/out', space(used, free), defaultRules.disk);
    if (problem === null) expect(said).toBeNull();
    else expect(said).toContain(problem);
  });
});
