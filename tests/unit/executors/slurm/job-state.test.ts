import { describe, expect, it } from 'vitest';

import { standingOf } from '../../../../src/executors/slurm/job-state.pure.ts';

describe('the state of a job', () => {
  it.each([
    ['PENDING', 'Priority', { kind: 'waits' }],
    ['PENDING', 'Resources', { kind: 'waits' }],
    ['PENDING', 'JobHeldUser', { kind: 'waits' }],
    ['PENDING', 'QOSGrpJobsLimit', { kind: 'waits' }],
    ['PENDING', 'AssocMaxJobsLimit', { kind: 'waits' }],
    ['PENDING', 'BadConstraints', { kind: 'never_begins', reason: 'BadConstraints' }],
    [
      'PENDING',
      'AssocGrpCPUMinutesLimit',
      { kind: 'never_begins', reason: 'AssocGrpCPUMinutesLimit' },
    ],
    [
      'PENDING',
      'QOSMaxWallDurationPerJobLimit',
      { kind: 'never_begins', reason: 'QOSMaxWallDurationPerJobLimit' },
    ],
    ['PENDING', 'JobHeldAdmin', { kind: 'never_begins', reason: 'JobHeldAdmin' }],
    ['RUNNING', null, { kind: 'runs' }],
    ['COMPLETING', 'BadConstraints', { kind: 'runs' }],
    ['SUSPENDED', null, { kind: 'stands_still' }],
    ['CANCELLED by 1000', null, { kind: 'over', end: 'cancelled' }],
    ['CANCELLED+', null, { kind: 'over', end: 'cancelled' }],
    ['OUT_OF_MEMORY', null, { kind: 'over', end: 'out_of_memory' }],
    ['TIMEOUT', 'TimeLimit', { kind: 'over', end: 'too_slow' }],
    ['NODE_FAIL', 'NodeDown', { kind: 'over', end: 'node_lost' }],
    ['REQUEUE_HOLD', null, { kind: 'requeued' }],
    ['EXPEDITING', null, { kind: 'unknown' }],
    ['', null, { kind: 'unknown' }],
    ['constructor', null, { kind: 'unknown' }],
  ])('%s, %s means what its attempt can rely on', (state, reason, standing) => {
    expect(standingOf(state, reason)).toEqual(standing);
  });
});
