import { expect, test } from 'vitest';

import { attemptsTable } from '../../../../src/cli/look/history.command.ts';
import type { AttemptDocument } from '../../../../src/retry/attempt-history.port.ts';

const ATTEMPT: AttemptDocument = {
  ...{ attempt: 'a'.repeat(24), run: 7, host: 'eb0', mode: 'background', failures: 0 },
  ...{ started: new Date('2026-03-01T12:00:00Z'), ended: null, plan: null, result: null },
};

test('an attempt that waits for its worker is not said to run', () => {
  expect(attemptsTable([ATTEMPT])).toContain('under way');
  expect(attemptsTable([ATTEMPT])).not.toContain('running');
});

test('an attempt whose strax process was started is said to run', () => {
  expect(attemptsTable([{ ...ATTEMPT, plan: { targets: ['peaks'] } }])).toContain('running');
});
