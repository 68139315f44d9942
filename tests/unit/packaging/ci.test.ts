import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';

test('CI runs all checks and tests, and ends as they do', () => {
  const lines = readFileSync(resolve(import.meta.dirname, '../../../.ci/run'), 'utf8')
    .trim()
    .split('\n');
  expect(lines).toContain('set -euo pipefail');
  expect(lines.at(-1)).toBe('exec make test');
});
